/** A plugin in twenty lines: a sink that appends one line a series-block to a file, and publishes nothing before `commit`. */
import { BlockSink } from "@peerstrap/m3db-bootstrap"
import { sinkKind } from "@peerstrap/m3db-bootstrap/plugin"
import { configValue, definePlugin, Type } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { appendFileSync } from "node:fs"

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
      const open = new Map<string, Array<string>>()
      const nameOf = ({ blockStart, shard }: { shard: number; blockStart: bigint }) => `${shard} ${blockStart}`
      return BlockSink.of({
        write: ({ data, ids, key }) =>
          Effect.sync(() => {
            const size = (at: number) => data[at]!.reduce((bytes, piece) => bytes + piece.length, 0)
            const lines = ids.map((id, at) => `${nameOf(key)} ${Buffer.from(id).toString("hex")} ${size(at)}\n`)
            open.set(nameOf(key), [...(open.get(nameOf(key)) ?? []), ...lines])
          }),
        commit: (key) => Effect.sync(() => appendFileSync(file, (open.get(nameOf(key)) ?? []).join(""))),
        abort: (key) => Effect.sync(() => void open.delete(nameOf(key)))
      })
    })
})
