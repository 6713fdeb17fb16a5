// A sink of a user's own, loaded by its path: one line a series-block. `mood` makes it start or go wrong.
import { type BlockBatch, type BlockKey, BlockSink } from "@peerstrap/m3db-bootstrap"
import { sinkKind } from "@peerstrap/m3db-bootstrap/plugin"
import { showId } from "@peerstrap/m3db-wire"
import { configDefault, configValue, definePlugin, PluginRuntime, Type } from "@peerstrap/plugin-host"
import { FileError } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { appendFileSync } from "node:fs"

const nameOf = ({ blockStart, shard }: BlockKey) => `${shard} ${blockStart}`

const linesOf = ({ ids, key }: BlockBatch) => ids.map((id) => `${nameOf(key)} ${showId(id)}\n`).join("")

const diskIsFull = new FileError({
  operation: "open",
  path: "/lines",
  reason: "no-space",
  message: "/lines: disk full"
})

export const lineSink = definePlugin({
  id: "m3db.sink.lines",
  version: "1.2.3",
  stability: "beta",
  summary: "A line a series-block.",
  provides: [sinkKind],
  requires: [],
  config: Schema.Struct({
    file: configValue(Type.path("FILE", "lines.txt"), "Where the lines go."),
    mood: configDefault(Type.oneOf(["well", "full", "broken", "fatal", "slow"], "well"), "well", "What goes wrong.")
  }),
  layer: ({ file, mood }) =>
    Layer.effect(
      BlockSink,
      Effect.gen(function*() {
        const runtime = yield* PluginRuntime
        runtime.progress("looking at old lines", 3, 9)
        runtime.event("opened", { file }, `lines go to ${file}`)
        if (mood === "full") return yield* diskIsFull
        if (mood === "broken") return yield* Effect.die(new TypeError("no such thing"))
        if (mood === "slow") runtime.report("recoverable", "its disk is busy")
        const open = new Map<string, string>()
        return BlockSink.of({
          write: (batch) =>
            Effect.sync(() => {
              if (mood === "fatal") runtime.report("fatal", "the line is cut")
              const name = nameOf(batch.key)
              open.set(name, (open.get(name) ?? "") + linesOf(batch))
            }),
          commit: (key) =>
            Effect.sync(() => {
              appendFileSync(file, open.get(nameOf(key)) ?? "")
              open.delete(nameOf(key))
            }),
          abort: (key) => Effect.sync(() => void open.delete(nameOf(key)))
        })
      })
    )
})
