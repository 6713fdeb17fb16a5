/** A process that opens a sink of filesets, writes half a block, says so, and keeps both until it is killed. */
import { BlockSink } from "@peerstrap/m3db-bootstrap"
import { FilesetSink } from "@peerstrap/m3db-files"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { batchOf } from "./filesets.ts"
import * as Vectors from "./vectors.ts"

const prefix = process.argv[2]!
const options = { prefix, namespace: "held", blockSize: Vectors.blockSize }

const hold = Effect.gen(function*() {
  const sink = yield* BlockSink
  yield* sink.write({ ...batchOf(Vectors.series), key: { shard: 7, blockStart: Vectors.blockStart }, bytes: 9 })
  yield* Effect.sync(() => process.stdout.write("open\n"))
  return yield* Effect.never
})

// An event loop with a timer stays alive while the program waits for its end.
setInterval(() => undefined, 1000)
await Effect.runPromise(Effect.provide(hold, Layer.provide(FilesetSink.layer(options), NodeFileSystem.layer)))
