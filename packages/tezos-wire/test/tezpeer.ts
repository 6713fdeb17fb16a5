// Starts the independent peer for integration tests. It needs a Python with PyNaCl: PEERSTRAP_PYTHON, or python3 when that has it.
import * as Effect from "effect/Effect"
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createInterface } from "node:readline"
import { sharedPath } from "../../../tools/shared.ts"

const program = sharedPath("peers/tezpeer.py")

const python = [process.env["PEERSTRAP_PYTHON"], "python3"].find((command) =>
  command !== undefined && spawnSync(command, ["-c", "import nacl"]).status === 0
)

/** Why the independent peer cannot run here; undefined when it can. */
export const tezpeerMissing: string | undefined = !existsSync(program)
  ? `the independent peer is not at ${program}: set PEERSTRAP_SHARED`
  : python === undefined
  ? "no Python that can import nacl: set PEERSTRAP_PYTHON to one (pip install PyNaCl)"
  : undefined

export interface LogLine {
  readonly ev?: string
  readonly [key: string]: unknown
}

export interface Tezpeer {
  readonly address: { readonly host: string; readonly port: number }
  readonly peerId: string
  /** What it has logged so far. */
  readonly log: ReadonlyArray<LogLine>
  /** Stops it and returns the whole log. */
  readonly stop: Effect.Effect<ReadonlyArray<LogLine>>
}

/** The peer as a process that ends with the scope. `flags` are those of its `serve` command. */
export const startTezpeer = (flags: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly child: ChildProcess; readonly peer: Tezpeer }>((resume) => {
      const child = spawn(python!, [program, "serve", "--control", "--listen", "127.0.0.1:0", "--pow", "0", ...flags], {
        stdio: ["pipe", "pipe", "inherit"]
      })
      const log: Array<LogLine> = []
      const stop = Effect.callback<ReadonlyArray<LogLine>>((resume) => {
        child.once("close", () => resume(Effect.succeed(log)))
        child.stdin.end("quit\n")
      })
      createInterface({ input: child.stdout }).on("line", (line) => {
        const entry: LogLine = JSON.parse(line)
        log.push(entry)
        if (entry.ev !== "listening") return
        const [host = "", port] = String(entry["addr"]).split(":")
        const peer = { address: { host, port: Number(port) }, peerId: String(entry["peer_id"]), log, stop }
        resume(Effect.succeed({ child, peer }))
      })
    }),
    ({ child }) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  ).pipe(Effect.map(({ peer }) => peer))

/** Runs a command of the program to its end: exit code and output. */
export const runTezpeer = (args: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number; readonly output: string }>((resume) => {
    const child = execFile(python!, [program, ...args], { maxBuffer: 64 << 20 }, (_error, stdout, stderr) => {
      resume(Effect.succeed({ code: child.exitCode ?? -1, output: `${stdout}${stderr}` }))
    })
    return Effect.sync(() => void child.kill("SIGKILL"))
  })
