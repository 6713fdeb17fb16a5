// Starts the independent peer for integration tests. Needs a Python that has PyNaCl.
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createInterface } from "node:readline"
import { sharedPath } from "../../../tools/shared.ts"

const program = sharedPath("peers/tezpeer.py")

const hasNacl = (command: string): boolean =>
  spawnSync(command, ["-c", "import nacl"], { stdio: "ignore" }).status === 0

const python: string | undefined = [process.env["PEERSTRAP_PYTHON"], "python3"].find(
  (command): command is string => command !== undefined && hasNacl(command)
)

/** Why the independent peer cannot run here; undefined when it can. */
export const tezpeerMissing: string | undefined = !existsSync(program)
  ? `${program} is missing: set PEERSTRAP_SHARED`
  : python === undefined
  ? "no Python with PyNaCl (pip install pynacl): set PEERSTRAP_PYTHON to one"
  : undefined

export interface TezPeer {
  readonly address: string
  readonly id: string
  /** Every line of its log so far. */
  readonly log: Array<Record<string, unknown>>
  /** Completes with the first line, past or to come, that fits. */
  readonly line: (fits: (line: Record<string, unknown>) => boolean) => Effect.Effect<Record<string, unknown>>
  readonly command: (text: string) => void
}

/** A peer as a process that ends with the scope. `flags` are those of its `serve` command. */
export const startTezpeer = (chain: string, flags: ReadonlyArray<string> = []) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly child: ChildProcess; readonly peer: TezPeer }>((resume) => {
      const path = sharedPath(`data/tezos/chains/${chain}.json.gz`)
      const child = spawn(python!, [program, "serve", "--control", "--chain", path, ...flags], {
        stdio: ["pipe", "pipe", "inherit"]
      })
      const log: Array<Record<string, unknown>> = []
      const waiting = new Set<(line: Record<string, unknown>) => void>()
      const line: TezPeer["line"] = (fits) =>
        Effect.callback((resume) => {
          const found = log.find(fits)
          if (found !== undefined) return resume(Effect.succeed(found))
          const look = (next: Record<string, unknown>): void => {
            if (fits(next)) resume(Effect.succeed(next))
          }
          waiting.add(look)
          return Effect.sync(() => waiting.delete(look))
        })
      createInterface({ input: child.stdout }).on("line", (text) => {
        const next = JSON.parse(text) as Record<string, unknown>
        log.push(next)
        if (next["ev"] === "listening") {
          const peer: TezPeer = {
            address: String(next["addr"]),
            id: String(next["peer_id"]),
            log,
            line,
            command: (command) => child.stdin.write(`${command}\n`)
          }
          resume(Effect.succeed({ child, peer }))
        }
        for (const look of waiting) look(next)
      })
    }),
    ({ child }) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  ).pipe(Effect.map(({ peer }) => peer))

/** Dials a node and checks what it serves; exit code 0: every check holds. */
export const dialWithTezpeer = (address: string, chain: string, flags: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number | null; readonly lines: ReadonlyArray<string> }>((resume) => {
    const path = sharedPath(`data/tezos/chains/${chain}.json.gz`)
    const child = spawn(python!, [program, "dial", address, "--chain", path, ...flags], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    const lines: Array<string> = []
    createInterface({ input: child.stdout }).on("line", (line) => lines.push(line))
    child.once("close", (code) => resume(Effect.succeed({ code, lines })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })
