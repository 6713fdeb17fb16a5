/** A plugin in twenty lines: a sink that appends one line a series-block to a file, and publishes nothing before `commit`. */
import { type BlockBatch, type BlockKey, BlockSink } from "@peerstrap/m3db-bootstrap"
import { sinkKind } from "@peerstrap/m3db-bootstrap/plugin"
import { configValue, definePlugin, Type } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { appendFileSync } from "node:fs"

const nameOf = ({ blockStart, shard }: BlockKey) => `${shard} ${blockStart}`

const linesOf = ({ data, ids, key }: BlockBatch) =>
  ids.map((id, at) => {
    const bytes = data[at]!.reduce((sum, piece) => sum + piece.length, 0)
    return `${nameOf(key)} ${Buffer.from(id).toString("hex")} ${bytes}\n`
  }).join("")

export const listSink = definePlugin({
  id: "m3db.sink.list",
  version: "1.0.0",
  stability: "beta",
  summary: "One line a series-block: shard, block start, id, bytes.",
  provides: [sinkKind],
  requires: [],
  config: Schema.Struct({ file: configValue(Type.path("FILE", "list.txt"), "Where the lines go.") }),
  layer: ({ file }) =>
    Layer.sync(BlockSink, () => {
      const open = new Map<string, string>()
      return BlockSink.of({
        write: (batch) =>
          Effect.sync(() => {
            const name = nameOf(batch.key)
            open.set(name, (open.get(name) ?? "") + linesOf(batch))
          }),
        commit: (key) => Effect.sync(() => appendFileSync(file, open.get(nameOf(key)) ?? "")),
        abort: (key) => Effect.sync(() => void open.delete(nameOf(key)))
      })
    })
})
