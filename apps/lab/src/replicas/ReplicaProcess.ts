/**
 * The side of a replica's own process: reads its plan from the first line of standard input, serves it, says so on standard output,
 * and ends when standard input ends, which is when the parent is gone, however it ended.
 *
 *   parent ── plan ──► stdin        stdout ──► {"address":"127.0.0.1:41023"} or {"problem":"…"}
 */
import { type CommandResult, ExitCode, type Terminal } from "@peerstrap/command-line"
import { startReplica } from "@peerstrap/m3db-wire/testing"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { createInterface } from "node:readline"
import { decodePlan, holdingsOf, type ReplicaPlan } from "./ReplicaPlan.ts"

/** What the process says on its first line. */
export type ReplicaAnswer = { readonly address: string } | { readonly problem: string }

const readPlan: Effect.Effect<ReplicaPlan> = Effect.callback<ReplicaPlan>((resume) => {
  const lines = createInterface({ input: process.stdin })
  lines.once("line", (line) => resume(Effect.sync(() => decodePlan(line))))
  lines.once("close", () => process.exit(ExitCode.done))
})

const answer = (terminal: Terminal, value: ReplicaAnswer): Effect.Effect<void> =>
  terminal.out(`${JSON.stringify(value)}\n`)

/** Dies as a process does that is killed: no farewell to its connections. */
const dieAtOnce = (): void => void process.kill(process.pid, "SIGKILL")

/** Serves until the process ends. */
export const replicaProcess = Effect.fnUntraced(function*(terminal: Terminal) {
  const plan = yield* readPlan
  const { behaviours, host, port } = plan
  const started = yield* startReplica({
    data: holdingsOf(plan),
    address: { host, port },
    behaviours,
    onDeath: dieAtOnce
  }).pipe(Effect.provide(Tcp.layer), Effect.result)
  if (started._tag === "Failure") {
    yield* answer(terminal, { problem: started.failure.message })
    const result: CommandResult = { exitCode: ExitCode.local, text: "" }
    return result
  }
  yield* answer(terminal, { address: started.success.hostPort })
  return yield* Effect.never
})
