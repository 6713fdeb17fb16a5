/** What a data directory holds: namespaces, shards, filesets; complete or not, and which ones a node would read. */
import { FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type { FilesetError } from "../contract/errors.ts"
import {
  fileName,
  type FilesetTree,
  isNamespaceName,
  latestComplete,
  namespaceDirectory,
  parseShard,
  shardDirectory,
  treeDirectory
} from "../engine/FilesetName.ts"
import { type Files, listFilesets, listNames, sizeOf } from "./Directory.ts"
import { openInfo } from "./OpenFileset.ts"

/** One fileset that a directory listing shows. */
export interface ScannedFileset {
  /** ns. */
  readonly blockStart: bigint
  readonly volume: number
  readonly legacy: boolean
  readonly complete: boolean
  /** The volume that a node reads for this block. */
  readonly latest: boolean
  /** Bytes by suffix of every file that exists. */
  readonly files: ReadonlyMap<string, number>
  readonly bytes: number
  /** From the info file, when it can be trusted. */
  readonly entries: number | undefined
  readonly blockSize: bigint | undefined
  /** Why a complete fileset cannot be opened. */
  readonly problem: FilesetError | undefined
}

/** One shard's filesets. */
export interface ScannedShard {
  readonly shard: number
  /** By block start, then volume. */
  readonly filesets: ReadonlyArray<ScannedFileset>
}

/** One namespace's shards. */
export interface ScannedNamespace {
  readonly namespace: string
  readonly shards: ReadonlyArray<ScannedShard>
}

const isDirectory = (fs: Files, path: string): Effect.Effect<boolean> =>
  fs.stat(path).pipe(Effect.map((info) => info.kind === "directory"), Effect.orElseSucceed(() => false))

const scanShard = Effect.fnUntraced(function*(
  fs: Files,
  prefix: string,
  namespace: string,
  shard: number,
  tree: FilesetTree
) {
  const directory = shardDirectory(prefix, namespace, shard, tree)
  const listed = yield* listFilesets(fs, directory)
  const filesets: Array<ScannedFileset> = []
  for (const one of listed) {
    const { blockStart, complete, legacy, volume } = one
    const files = new Map<string, number>()
    let bytes = 0
    for (const file of [...one.files].toSorted()) {
      const size = yield* sizeOf(fs, `${directory}/${fileName(blockStart, volume, file as "info", legacy)}`)
      files.set(file, size ?? 0)
      bytes += size ?? 0
    }
    const key = { prefix, namespace, shard, tree, blockStart, volume, legacy }
    const opened = complete ? yield* Effect.result(openInfo(fs, key)) : undefined
    const info = opened?._tag === "Success" ? opened.success.decoded.info : undefined
    filesets.push({
      blockStart,
      volume,
      legacy,
      complete,
      latest: latestComplete(listed, blockStart) === one,
      files,
      bytes,
      entries: info?.entries,
      blockSize: info?.blockSize,
      problem: opened?._tag === "Failure" ? opened.failure : undefined
    })
  }
  return { shard, filesets } satisfies ScannedShard
})

/**
 * Lists all filesets below `<prefix>/data` (or `snapshots`), of one namespace when it is given. A directory that does not exist
 * holds nothing; names that are none of M3DB's are left out.
 */
export const scanDirectory: (
  prefix: string,
  namespace?: string,
  tree?: FilesetTree
) => Effect.Effect<ReadonlyArray<ScannedNamespace>, FilesetError, FileSystem> = Effect.fnUntraced(
  function*(prefix, namespace, tree = "data") {
    const fs = yield* FileSystem
    const names = namespace === undefined ? yield* listNames(fs, treeDirectory(prefix, tree)) : [namespace]
    const out: Array<ScannedNamespace> = []
    for (const name of names) {
      const directory = namespaceDirectory(prefix, name, tree)
      if (!isNamespaceName(name) || !(yield* isDirectory(fs, directory))) continue
      const shards: Array<ScannedShard> = []
      for (const entry of yield* listNames(fs, directory)) {
        const shard = parseShard(entry)
        if (shard === undefined || !(yield* isDirectory(fs, `${directory}/${entry}`))) continue
        shards.push(yield* scanShard(fs, prefix, name, shard, tree))
      }
      out.push({ namespace: name, shards: shards.toSorted((a, b) => a.shard - b.shard) })
    }
    return out
  }
)
