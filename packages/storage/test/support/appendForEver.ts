/** Appends batches to the journal in the directory that it is given, several at a time, and tells of each that returned. Ends when it is killed. */
import { FileJournal, NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"

const directory = process.argv[2]!

const appendForEver = Effect.scoped(Effect.gen(function*() {
  const journal = yield* FileJournal.open({ directory, segmentBytes: 20_000 })
  const writer = (name: string) =>
    Effect.gen(function*() {
      for (let i = 0;; i++) {
        const first = yield* journal.append(
          [`${name}${i}a`, `${name}${i}b`].map((text) => new TextEncoder().encode(text))
        )
        process.stdout.write(`${first} ${name}${i}\n`)
      }
    })
  yield* Effect.forEach(["x", "y", "z"], writer, { concurrency: "unbounded" })
}))

await Effect.runPromise(Effect.provide(appendForEver, NodeFileSystem.layer))
