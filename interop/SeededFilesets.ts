/** Many seeded series of all common shapes as filesets of ours, which real nodes start on as if they had written them. */
import { FilesetWriter } from "@peerstrap/m3db-files"
import { shardOf } from "@peerstrap/m3db-wire"
import { seededId, seededPoints, type SeededSpec, seededTags } from "@peerstrap/m3db-wire/testing"
import { adler32, encodeBlock, EncodeError } from "@peerstrap/m3tsz"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"

export interface WrittenData {
  readonly blocks: number
  /** Of the M3TSZ streams. */
  readonly bytes: number
}

/** Series encoded before they are written. */
const batchSeries = 256

const noTags = new Uint8Array(0)

const encoded = (spec: SeededSpec, index: number): Uint8Array => {
  const result = encodeBlock(seededPoints(spec, index, 0), spec.start)
  if (result instanceof EncodeError) throw new Error(result.message)
  return result.bytes
}

const writeShard = Effect.fnUntraced(function*(
  prefix: string,
  spec: SeededSpec,
  shard: number,
  members: ReadonlyArray<number>
) {
  const { blockSize, namespace, start: blockStart } = spec
  const writer = yield* FilesetWriter.open({ prefix, namespace, shard, blockStart, blockSize })
  let bytes = 0
  for (let at = 0; at < members.length; at += batchSeries) {
    const some = members.slice(at, at + batchSeries)
    const streams = some.map((index) => encoded(spec, index))
    for (const stream of streams) bytes += stream.length
    yield* writer.write({
      count: some.length,
      ids: some.map((index) => seededId(spec, index)),
      tags: some.map((index) => seededTags(spec, index) ?? noTags),
      data: streams.map((stream) => [stream]),
      checksums: Uint32Array.from(streams, (stream) => adler32(stream))
    })
  }
  yield* writer.finish
  return bytes
})

/** Writes the first block of a seeded data set, a fileset of each shard. */
export const writeSeededFilesets = (prefix: string, spec: SeededSpec): Promise<WrittenData> => {
  const members = Array.from({ length: spec.numShards }, (): Array<number> => [])
  for (let index = 0; index < spec.series; index++) {
    members[shardOf(seededId(spec, index), spec.hashSeed, spec.numShards)]!.push(index)
  }
  const shards = Effect.forEach(members, (own, shard) => Effect.scoped(writeShard(prefix, spec, shard, own)))
  return Effect.runPromise(Effect.provide(shards, NodeFileSystem.layer)).then((bytes) => ({
    blocks: spec.series,
    bytes: bytes.reduce((sum, each) => sum + each, 0)
  }))
}
