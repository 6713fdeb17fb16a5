/** Lines that a person or program writes to this process. That nobody writes (any more) is no reason to end. */
import type { CommandError } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { createInterface } from "node:readline"

/** Lines that wait for their turn; more are left out. */
const maxWaiting = 1_000

/** Takes line after line, in order, until the scope closes. */
export const eachInputLine = Effect.fnUntraced(function*(take: (line: string) => Effect.Effect<void, CommandError>) {
  const lines = yield* Queue.dropping<string>(maxWaiting)
  const input = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createInterface({ input: process.stdin }).on("line", (line) => void Queue.offerUnsafe(lines, line))
    ),
    (input) => Effect.sync(() => input.close())
  )
  input.on("error", () => undefined)
  return yield* Effect.forever(Effect.flatMap(Queue.take(lines), take))
})
