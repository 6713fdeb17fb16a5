/** A sink of one's own: a line a series-block, appended to a file when its block is committed. */
import { type BlockBatch, type BlockKey, BlockSink, SinkError } from "@peerstrap/m3db-bootstrap"
import { sinkKind } from "@peerstrap/m3db-bootstrap/plugin"
import { showId } from "@peerstrap/m3db-wire"
import { configValue, definePlugin, Type } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { appendFile } from "node:fs/promises"

const nameOf = ({ blockStart, shard }: BlockKey) => `${shard} ${blockStart}`

const linesOf = ({ data, ids, key }: BlockBatch) =>
  ids.map((id, at) => {
    const bytes = data[at]!.reduce((sum, piece) => sum + piece.length, 0)
    return `${nameOf(key)} ${showId(id)} ${bytes}\n`
  }).join("")

export const listSink = definePlugin({
  id: "m3db.sink.list",
  version: "1.0.0",
  stability: "beta",
  summary: "One line a series-block: shard, block start, id, bytes.",
  provides: [sinkKind],
  requires: [],
  config: Schema.Struct({ file: configValue(Type.path("FILE", "list.txt"), "Where the lines go.") }),
  layer: ({ file }) => {
    const io = (cause: unknown) =>
      new SinkError({ subject: file, reason: "io", message: String(cause), remedy: "see to the file, run again" })
    return Layer.sync(BlockSink, () => {
      const open = new Map<string, string>()
      return BlockSink.of({
        write: (batch) =>
          Effect.sync(() => {
            const name = nameOf(batch.key)
            open.set(name, (open.get(name) ?? "") + linesOf(batch))
          }),
        commit: (key) => {
          const lines = open.get(nameOf(key)) ?? ""
          open.delete(nameOf(key))
          return Effect.tryPromise({ try: () => appendFile(file, lines), catch: io })
        },
        abort: (key) => Effect.sync(() => void open.delete(nameOf(key)))
      })
    })
  }
})
