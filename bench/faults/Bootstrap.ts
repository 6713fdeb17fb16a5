/** The program as a process, from its start to its exit, with what it printed and what it left on the disk. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import type { ReportDocument } from "../../apps/m3db-bootstrapper/src/bootstrap/ReportDocument.ts"
import { heldOnDisk } from "./Held.ts"

const program = fileURLToPath(new URL("../../apps/m3db-bootstrapper/src/main.ts", import.meta.url))

export interface BootstrapOptions {
  /** Id and address. */
  readonly peers: ReadonlyArray<readonly [id: string, hostPort: string]>
  /** All flags but the peers and --out. */
  readonly flags: ReadonlyArray<string>
  /** Called once the run has told its plan, right before it streams. */
  readonly onStart?: ((out: string) => void) | undefined
}

export interface Ended {
  readonly code: number | null
  /** Of the process. */
  readonly wallSeconds: number
  /** Of the run itself: from its first call to its last published block. */
  readonly runSeconds: number
  readonly document: ReportDocument
  /** What is on the disk. */
  readonly held: string
}

const isReport = (value: unknown): value is ReportDocument =>
  typeof value === "object" && value !== null && "report" in value && "peerVerdicts" in value

const spawnProgram = (argv: ReadonlyArray<string>) =>
  spawn(process.execPath, ["--conditions=@peerstrap/source", program, ...argv], { stdio: ["ignore", "pipe", "pipe"] })

/** One command line to its exit. */
export const runProgram = async (...argv: ReadonlyArray<string>): Promise<number | null> => {
  const child = spawnProgram(argv)
  child.stdout.resume()
  child.stderr.resume()
  const [code] = (await once(child, "close")) as [number | null]
  return code
}

export const runBootstrap = async ({ flags, onStart, peers }: BootstrapOptions): Promise<Ended> => {
  const directory = mkdtempSync(join(tmpdir(), "peerstrap-faults-"))
  const out = join(directory, "out")
  try {
    const began = process.hrtime.bigint()
    const asked = peers.flatMap(([id, hostPort]) => ["--peer", `${id}=${hostPort}`])
    const child = spawnProgram(["bootstrap", ...asked, ...flags, "--out", out, "--json"])
    const said: Array<string> = []
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line)
      if (line.includes("\"name\":\"plan\"")) onStart?.(out)
    })
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "close")])
    const wallSeconds = Number(process.hrtime.bigint() - began) / 1e9
    const document: unknown = printed === "" ? undefined : JSON.parse(printed)
    if (!isReport(document)) throw new Error(`the program ended with ${code}: ${printed}${said.join("\n")}`)
    const { endedMillis, startedMillis } = document.report
    return {
      code,
      wallSeconds,
      runSeconds: (endedMillis - startedMillis) / 1000,
      document,
      held: await heldOnDisk(out)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
