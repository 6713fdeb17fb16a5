/**
 * Says `ready`; at a line of its input takes the lock that it is given, says `held` or why not, and keeps it until it is killed.
 */
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { once } from "node:events"

const path = process.argv[2]!

process.stdout.write("ready\n")
await once(process.stdin, "data")

const hold = Effect.gen(function*() {
  yield* Effect.matchEffect(NodeFileSystem.fileSystem.lock(path), {
    onSuccess: () => Effect.sync(() => process.stdout.write("held\n")),
    onFailure: ({ message }) => Effect.sync(() => process.stdout.write(`${message}\n`))
  })
  return yield* Effect.never
})

// The input stays open, and with it the process.
await Effect.runPromise(Effect.scoped(hold))
