/** A process that writes filesets until it is killed; it prints a line for each that it has published. */
import { FilesetWriter } from "@peerstrap/m3db-files"
import { adler32 } from "@peerstrap/m3tsz"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"

const prefix = process.argv[2]!
const bytes = new Uint8Array(64).fill(7)
const count = 200
let next = 1

const batch = (from: number) => ({
  count,
  ids: Array.from({ length: count }, (_, i) => new TextEncoder().encode(`series ${((from + i) * 7919) % 2000}`)),
  tags: Array.from({ length: count }, () => new Uint8Array(0)),
  data: Array.from({ length: count }, () => [bytes]),
  checksums: new Uint32Array(count).fill(adler32(bytes))
})

const writeOne = Effect.fnUntraced(function*(block: number) {
  const blockStart = BigInt(block) * BigInt("7200000000000")
  const options = { prefix, namespace: "ns", shard: 0, blockStart, blockSize: BigInt("7200000000000") }
  const writer = yield* FilesetWriter.open(options)
  for (let from = 0; from < 2000; from += count) yield* writer.write(batch(from))
  yield* writer.finish
  yield* Effect.sync(() => process.stdout.write(`${block}\n`))
})

await Effect.runPromise(
  Effect.provide(Effect.forever(Effect.suspend(() => Effect.scoped(writeOne(next++)))), NodeFileSystem.layer)
)
