/** Journals as plugins of kind `journal`. */
import { configDefault, configValue, definePlugin, one, Type } from "@peerstrap/plugin-host"
import * as Schema from "effect/Schema"
import * as FileJournal from "../adapter/FileJournal.ts"
import { Journal } from "../contract/Journal.ts"
import { Limits } from "../contract/Limits.ts"
import { filesKind } from "./Files.ts"

/** Kind `journal`: an append-only journal of records. */
export const journalKind = one("journal", Journal, {
  summary: "Records appended one after the other, durable when an append returns."
})

/** Plugin `journal.files`: a journal in a directory. */
export const filesJournal = definePlugin({
  id: "journal.files",
  version: "0.1.0",
  stability: "beta",
  summary: "A journal of segments in a directory of the files that it is given.",
  provides: [journalKind],
  requires: [filesKind],
  limits: {
    recordBytes: { value: Limits.journalRecordBytes, reason: "a record is read back at once" },
    batchBytes: { value: Limits.journalFrameBytes, reason: "a batch is whole or not there at all" }
  },
  config: Schema.Struct({
    directory: configValue(Type.path("DIR", "journal"), "Holds the segments and nothing else."),
    segmentBytes: configDefault(
      Type.bytes(1, 2 ** 40, "64MiB"),
      Limits.journalSegmentBytes,
      "Bytes of a segment, after which the next begins."
    )
  }),
  layer: (options) => FileJournal.layer(options)
})

/** All plugins of kind `journal`. */
export const journalPlugins = [filesJournal]
