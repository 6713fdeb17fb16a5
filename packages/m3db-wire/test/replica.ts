// Starts the independent replica for integration tests and reads what it promises.
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createInterface } from "node:readline"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"

const program = sharedPath("peers/m3peer.py")

/** Why the independent replica cannot run here; undefined when it can. */
export const replicaMissing: string | undefined = sharedMissing ??
  (existsSync(program)
    ? spawnSync("python3", ["--version"]).status === 0 ? undefined : "python3 is not installed"
    : `${program} is missing`)

export interface Replica {
  readonly host: string
  readonly port: number
  readonly namespace: Uint8Array
  readonly shards: number
  readonly start: bigint
  readonly end: bigint
  readonly series: number
  readonly blocks: number
  readonly bytes: number
  /** Replaces its misbehaviours; an empty list makes it healthy again. */
  readonly behave: (behaviours: string) => Effect.Effect<void>
}

/** The replica as a process that ends with the scope. `flags` are those of its `serve` command. */
export const startReplica = (flags: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly child: ChildProcess; readonly replica: Replica }>((resume) => {
      const child = spawn("python3", [program, "serve", "--control", "--listen", "127.0.0.1:0", ...flags], {
        stdio: ["pipe", "pipe", "inherit"]
      })
      const lines = createInterface({ input: child.stdout })
      const behave = (behaviours: string) =>
        Effect.callback<void>((resume) => {
          lines.once("line", () => resume(Effect.void))
          child.stdin.write(`behaviour ${behaviours}\n`)
        })
      lines.once("line", (line) => {
        const ready = JSON.parse(line)
        const [host, port] = ready.address.split(":")
        resume(Effect.succeed({
          child,
          replica: {
            host,
            port: Number(port),
            namespace: Buffer.from(ready.namespace),
            shards: ready.shards,
            start: BigInt(ready.start),
            end: BigInt(ready.end),
            series: ready.series,
            blocks: ready.blocks,
            bytes: ready.bytes,
            behave
          }
        }))
      })
    }),
    ({ child }) =>
      Effect.callback<void>((resume) => {
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  ).pipe(Effect.map(({ replica }) => replica))
