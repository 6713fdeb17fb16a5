/** Filesets as the plugin `m3db.sink.filesets`. */
import { sinkKind } from "@peerstrap/m3db-bootstrap/plugin"
import { configDefault, configValue, definePlugin, Type } from "@peerstrap/plugin-host"
import { filesKind } from "@peerstrap/storage/plugin"
import * as Schema from "effect/Schema"
import * as FilesetSink from "../adapter/FilesetSink.ts"
import { Limits } from "../contract/Limits.ts"

/** The config of `m3db.sink.filesets`. */
export const filesetSinkConfig = Schema.Struct({
  out: configValue(Type.path("DIR", "/var/lib/m3db"), "Files go to DIR/data/NAMESPACE/SHARD."),
  namespace: configValue(Type.text("NAME", "a namespace of the cluster", "metrics"), "The namespace."),
  blockSize: configValue(Type.duration("2h"), "The namespace's block size."),
  overwrite: configDefault(Type.onOff, false, "Replaces complete filesets.")
})

/** Decoded, as a graph's node has it. */
export type FilesetSinkConfig = typeof filesetSinkConfig.Type

/** Plugin `m3db.sink.filesets`: writes M3DB filesets, published atomically. */
export const filesetSink = definePlugin({
  id: "m3db.sink.filesets",
  version: "0.1.0",
  stability: "stable",
  summary: "M3DB filesets, published atomically, checkpoint last.",
  provides: [sinkKind],
  requires: [filesKind],
  config: filesetSinkConfig,
  budgets: () => ({ descriptors: Limits.maxOpenBlocks }),
  limits: {
    maxOpenBlocks: { value: Limits.maxOpenBlocks, reason: "blocks written to at once; each holds one descriptor" }
  },
  layer: ({ blockSize, namespace, out, overwrite }) =>
    FilesetSink.layer({ prefix: out, namespace, blockSize, overwrite })
})
