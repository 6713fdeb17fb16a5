/** Holdings as filesets of ours: read, written, and damaged as a disk damages them. */
import { filePath, FilesetReader, FilesetWriter, scanDirectory } from "@peerstrap/m3db-files"
import { adler32, type Datapoints, decodeBlock, DecodeError, encodeBlock, EncodeError } from "@peerstrap/m3tsz"
import { type FileSystem, NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { open } from "node:fs/promises"
import { byId, type HeldSeries, hex, type Point } from "./Held.ts"

const maxPoints = 1 << 20

const run = <A, E>(effect: Effect.Effect<A, E, FileSystem | Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect).pipe(Effect.provide(NodeFileSystem.layer)))

/** Decodes one stream, given in pieces. */
export const pointsOfStream = (stream: ReadonlyArray<Uint8Array>): ReadonlyArray<Point> => {
  const points = decodeBlock(stream, { maxPoints })
  if (points instanceof DecodeError) throw new Error(`a stream does not decode: ${points.message}`)
  return pointsOf(points)
}

export const pointsOf = (points: Datapoints): ReadonlyArray<Point> =>
  Array.from({ length: points.count }, (_, n) => {
    const annotation = points.annotations.get(n)
    const point = { nanos: points.timestamps[n]!, value: points.values[n]! }
    return annotation === undefined || annotation.length === 0 ? point : { ...point, annotation }
  })

const streamOf = (points: ReadonlyArray<Point>, start: bigint): Uint8Array => {
  const annotated = points.flatMap(({ annotation }, n) => annotation === undefined ? [] : [[n, annotation] as const])
  const encoded = encodeBlock({
    count: points.length,
    timestamps: BigInt64Array.from(points, ({ nanos }) => nanos),
    values: Float64Array.from(points, ({ value }) => value),
    units: new Uint8Array(points.length).fill(1),
    annotations: new Map(annotated)
  }, start)
  if (encoded instanceof EncodeError) throw new Error(encoded.message)
  return encoded.bytes
}

/** The filesets that a node would read, by shard and block start. */
const latestFilesets = Effect.fnUntraced(function*(prefix: string, namespace: string) {
  const [scanned] = yield* scanDirectory(prefix, namespace)
  return (scanned?.shards ?? []).flatMap(({ filesets, shard }) =>
    filesets.filter(({ latest }) => latest).map(({ blockStart, volume }) => ({
      prefix,
      namespace,
      shard,
      blockStart,
      volume
    }))
  )
})

/** Everything that the complete filesets of a namespace hold, in order of ids. */
export const readFilesets = (prefix: string, namespace: string): Promise<ReadonlyArray<HeldSeries>> =>
  run(Effect.gen(function*() {
    const held = new Map<string, { series: HeldSeries; blocks: Array<HeldSeries["blocks"][number]> }>()
    for (const key of yield* latestFilesets(prefix, namespace)) {
      const reader = yield* FilesetReader.open(key)
      yield* Stream.runForEach(reader.series(), (batch) =>
        Effect.sync(() => {
          for (let i = 0; i < batch.count; i++) {
            const id = batch.ids[i]!.slice()
            const known = held.get(hex(id))
            const block = { start: key.blockStart, points: pointsOfStream([batch.bytes[i]!]) }
            if (known !== undefined) known.blocks.push(block)
            else {
              const blocks = [block]
              held.set(hex(id), {
                series: { shard: key.shard, id, encodedTags: batch.tags[i]!.slice(), blocks },
                blocks
              })
            }
          }
        }))
    }
    for (const { blocks } of held.values()) blocks.sort((a, b) => a.start < b.start ? -1 : 1)
    return [...held.values()].map(({ series }) => series).toSorted(byId)
  }))

/** SHA-256 of each stream with its tags, by shard, block start and id: for data of which points would be too many to hold. */
export const streamDigests = (prefix: string, namespace: string): Promise<ReadonlyMap<string, string>> =>
  run(Effect.gen(function*() {
    const digests = new Map<string, string>()
    for (const key of yield* latestFilesets(prefix, namespace)) {
      const reader = yield* FilesetReader.open(key)
      yield* Stream.runForEach(reader.series(), (batch) =>
        Effect.sync(() => {
          for (let i = 0; i < batch.count; i++) {
            const digest = createHash("sha256").update(batch.tags[i]!).update(batch.bytes[i]!).digest("hex")
            digests.set(`${key.shard} ${key.blockStart} ${hex(batch.ids[i]!)}`, digest)
          }
        }))
    }
    return digests
  }))

export interface FilesetPlace {
  readonly prefix: string
  readonly namespace: string
  /** ns. */
  readonly blockSize: bigint
  readonly numShards: number
  /** ns; a fileset of each shard for each of them, also without series. */
  readonly blockStarts: ReadonlyArray<bigint>
}

/** Writes a holding as filesets of volume 0. */
export const writeFilesets = (
  { blockSize, blockStarts, namespace, numShards, prefix }: FilesetPlace,
  series: ReadonlyArray<HeldSeries>
): Promise<void> =>
  run(Effect.gen(function*() {
    for (let shard = 0; shard < numShards; shard++) {
      const own = series.filter((one) => one.shard === shard)
      for (const blockStart of blockStarts) {
        const rows = own.flatMap(({ blocks, encodedTags, id }) => {
          const block = blocks.find(({ start }) => start === blockStart)
          return block === undefined ? [] : [{ id, encodedTags, bytes: streamOf(block.points, blockStart) }]
        })
        const writer = yield* FilesetWriter.open({ prefix, namespace, shard, blockStart, blockSize })
        yield* writer.write({
          count: rows.length,
          ids: rows.map(({ id }) => id),
          tags: rows.map(({ encodedTags }) => encodedTags),
          data: rows.map(({ bytes }) => [bytes]),
          checksums: Uint32Array.from(rows, ({ bytes }) => adler32(bytes))
        })
        yield* writer.finish
      }
    }
  }))

export interface Damaged {
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
  /** Of the series whose bytes were changed. */
  readonly ids: ReadonlyArray<Uint8Array>
}

/** Changes every byte in the second half of one data file; index and digests stay as they were. */
export const damageDataFile = async (
  prefix: string,
  namespace: string,
  { blockStart, shard }: Omit<Damaged, "ids">
): Promise<Damaged> => {
  const { from, ids, path } = await run(Effect.gen(function*() {
    const keys = yield* latestFilesets(prefix, namespace)
    const key = keys.find((one) => one.shard === shard && one.blockStart === blockStart)
    if (key === undefined) throw new Error(`no fileset of shard ${shard} at ${blockStart} under ${prefix}`)
    const reader = yield* FilesetReader.open(key)
    const half = Math.floor(reader.dataBytes / 2)
    const hit: Array<Uint8Array> = []
    yield* Stream.runForEach(reader.entries, (batch) =>
      Effect.sync(() => {
        for (let i = 0; i < batch.count; i++) {
          if (batch.offsets[i]! + batch.sizes[i]! > half) hit.push(batch.ids[i]!.slice())
        }
      }))
    return { path: filePath(key, "data"), from: half, ids: hit }
  }))
  const file = await open(path, "r+")
  const { size } = await file.stat()
  const bytes = Buffer.alloc(size - from)
  await file.read(bytes, 0, bytes.length, from)
  await file.write(bytes.map((byte) => byte ^ 0x5a), 0, bytes.length, from)
  await file.close()
  return { shard, blockStart, ids }
}
