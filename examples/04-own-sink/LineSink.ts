/** A sink of one's own: decodes what it gets and publishes each block as one file of line protocol, all of it or nothing. */
import { type BlockBatch, type BlockKey, BlockSink, SinkError } from "@peerstrap/m3db-bootstrap"
import { sinkKind } from "@peerstrap/m3db-bootstrap/plugin"
import { decodeTags, toHex } from "@peerstrap/m3db-wire"
import { type Datapoints, decodeBlock } from "@peerstrap/m3tsz"
import { configDefault, configValue, definePlugin, Type } from "@peerstrap/plugin-host"
import { type FileError, FileSystem } from "@peerstrap/storage"
import { filesKind } from "@peerstrap/storage/plugin"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/** Lines by id of a block that is not published yet. A failure stays until the block is aborted. */
type OpenBlock = Map<string, string> | SinkError

export const fileOf = ({ blockStart, shard }: BlockKey): string => `${shard}-${blockStart}.lp`

const refused = (subject: string, reason: SinkError["reason"], message: string): SinkError =>
  new SinkError({ subject, reason, message, remedy: "nothing of the block was published: mend the cause, run again" })

const onDisk = ({ message, path, reason }: FileError): SinkError =>
  refused(path, reason === "no-space" || reason === "read-only" || reason === "permission" ? reason : "io", message)

const escaped = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replaceAll(/[,= ]/g, "\\$&")

/** `m3db,id=6162,city=sf value=1.5 1600000000000000000`. Line protocol has no NaN and no infinities: those points are left out. */
const linesOf = (labels: string, { count, timestamps, values }: Datapoints): string => {
  let lines = ""
  for (let at = 0; at < count; at++) {
    if (Number.isFinite(values[at])) lines += `m3db,${labels} value=${values[at]} ${timestamps[at]}\n`
  }
  return lines
}

const added = (block: Map<string, string>, { data, ids, key, tags }: BlockBatch, maxPoints: number): OpenBlock => {
  for (const [at, bytes] of ids.entries()) {
    if (data[at]!.every((piece) => piece.length === 0)) continue
    const id = toHex(bytes)
    const points = decodeBlock(data[at]!, { maxPoints })
    const pairs = tags[at]!.length === 0 ? [] : decodeTags(tags[at]!)
    if ("message" in points) return refused(fileOf(key), "undecodable", `series ${id}: ${points.message}`)
    if ("message" in pairs) return refused(fileOf(key), "undecodable", `tags of series ${id}: ${pairs.message}`)
    if (block.has(id)) return refused(fileOf(key), "duplicate-id", `series ${id} came twice`)
    const labels = [`id=${id}`, ...pairs.map(([name, value]) => `${escaped(name)}=${escaped(value)}`)]
    block.set(id, linesOf(labels.join(","), points))
  }
  return block
}

export const lineSink = definePlugin({
  id: "m3db.sink.lines",
  version: "1.0.0",
  stability: "beta",
  summary: "One file of line protocol a block, published atomically.",
  provides: [sinkKind],
  requires: [filesKind],
  config: Schema.Struct({
    out: configValue(Type.path("DIR", "lines"), "Files go there."),
    maxPoints: configDefault(Type.integer(1, 1_000_000, 7200), 7200, "Points of a series in a block.")
  }),
  layer: ({ maxPoints, out }) =>
    Layer.effect(
      BlockSink,
      Effect.map(FileSystem, (files) => {
        const open = new Map<string, OpenBlock>()
        const publish = Effect.fnUntraced(function*(path: string, block: OpenBlock) {
          if (block instanceof SinkError) return yield* block
          const isThere = yield* Effect.match(files.stat(path), { onFailure: () => false, onSuccess: () => true })
          if (isThere) return yield* refused(path, "exists", "the block is published already")
          const lines = new TextEncoder().encode([...block.values()].join(""))
          yield* Effect.mapError(files.writeFileAtomic(path, lines), onDisk)
        })
        return BlockSink.of({
          write: (batch) =>
            Effect.suspend(() => {
              const before = open.get(fileOf(batch.key)) ?? new Map()
              const block = before instanceof SinkError ? before : added(before, batch, maxPoints)
              open.set(fileOf(batch.key), block)
              return block instanceof SinkError ? Effect.fail(block) : Effect.void
            }),
          commit: (key) =>
            Effect.suspend(() => publish(`${out}/${fileOf(key)}`, open.get(fileOf(key)) ?? new Map())).pipe(
              Effect.tapError((error) => Effect.sync(() => open.set(fileOf(key), error))),
              Effect.andThen(Effect.sync(() => void open.delete(fileOf(key))))
            ),
          abort: (key) => Effect.sync(() => void open.delete(fileOf(key)))
        })
      })
    )
})
