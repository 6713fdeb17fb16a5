/**
 * What a run does only when its sink writes filesets: looks at what is there before, reads everything again afterwards, and takes back
 * what was published under settings that turned out wrong. Another sink's data are its own.
 */
import type { BlockKey } from "@peerstrap/m3db-bootstrap"
import { sinkKind } from "@peerstrap/m3db-bootstrap/plugin"
import { filePath, filesetFiles, type FilesetVerification, verifyFileset } from "@peerstrap/m3db-files"
import { filesetSink, type FilesetSinkConfig } from "@peerstrap/m3db-files/plugin"
import type { Graph } from "@peerstrap/plugin-host"
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"

/** The config of the sink of filesets; undefined when the sink is another one. */
export const filesetOutputOf = ({ nodes }: Graph): FilesetSinkConfig | undefined =>
  nodes.find(({ plugin }) => plugin.id === filesetSink.id)?.config as FilesetSinkConfig | undefined

/** Name of the part that takes the blocks. */
export const sinkName = ({ nodes }: Graph): string =>
  nodes.find(({ plugin }) => plugin.provides.some(({ id }) => id === sinkKind.id))!.name

/** Reads every fileset again. */
export const verifyFilesets = (
  { namespace, out }: FilesetSinkConfig,
  sharding: { readonly numShards: number; readonly seed: number },
  written: ReadonlyArray<BlockKey>,
  onVerified: () => void
): Effect.Effect<ReadonlyArray<FilesetVerification>, never, FileSystem> =>
  Effect.forEach(
    written,
    (key) =>
      Effect.tap(
        verifyFileset({ prefix: out, namespace, volume: 0, ...key }, { sharding }),
        () => Effect.sync(onVerified)
      ),
    { concurrency: 2 }
  )

/** Takes back what was published under settings that turned out wrong: blocks that seemed empty. */
export const removeFilesets = Effect.fnUntraced(
  function*({ namespace, out }: FilesetSinkConfig, keys: ReadonlyArray<BlockKey>) {
    const fs = yield* FileSystem
    for (const key of keys) {
      const fileset = { prefix: out, namespace, volume: 0, ...key }
      // The checkpoint goes first: without it the rest is no fileset.
      for (const file of filesetFiles.toReversed()) yield* Effect.ignore(fs.remove(filePath(fileset, file)))
    }
  }
)
