/** Runs `peerstrap-m3db` as it is built, as an operator would, and reads what it says to programs. */
import type { RunReport } from "@peerstrap/m3db-bootstrap"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("../apps/m3db-bootstrapper/bin/peerstrap-m3db.cjs", import.meta.url))

export interface Ended {
  readonly exitCode: number
  readonly out: string
  readonly err: string
  readonly seconds: number
}

/** Runs it to its end, whatever that is. */
export const run = async (args: ReadonlyArray<string>): Promise<Ended> => {
  const began = performance.now()
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"]
  })
  const [out, err, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
  if (code === null) throw new Error(`peerstrap-m3db ${args.join(" ")}: ended by ${signal}\n${err}`)
  return { exitCode: code, out, err, seconds: (performance.now() - began) / 1000 }
}

/** Standard output of a run that must end with 0. */
export const peerstrap = async (...args: ReadonlyArray<string>): Promise<string> => {
  const { err, exitCode, out } = await run(args)
  if (exitCode !== 0) throw new Error(`peerstrap-m3db ${args.join(" ")}: exit code ${exitCode}\n${err}\n${out}`)
  return out
}

/** Lines of an output, sorted as text. */
export const linesOf = (out: string): ReadonlyArray<string> => out.split("\n").filter((line) => line !== "").toSorted()

/** The parts of the closing document of `bootstrap --json` that the tests look at. */
export interface BootstrapDocument {
  readonly exitCode: number
  readonly verdict: string
  readonly report: RunReport
  readonly peerVerdicts: ReadonlyArray<{ readonly peer: string; readonly verdict: string }>
  readonly waits: ReadonlyArray<{ readonly subject?: string }>
}

export const bootstrap = async (
  args: ReadonlyArray<string>
): Promise<{ readonly ended: Ended; readonly document: BootstrapDocument }> => {
  const ended = await run(["bootstrap", ...args, "--json"])
  if (ended.out === "") throw new Error(`bootstrap ${args.join(" ")}: exit code ${ended.exitCode}\n${ended.err}`)
  return { ended, document: JSON.parse(ended.out) as BootstrapDocument }
}
