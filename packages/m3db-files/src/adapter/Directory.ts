/** What is on disk for a shard: volumes, complete or not; and the place made free for a new fileset. */
import type { FileError, FileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import type { FilesetError } from "../contract/errors.ts"
import { Limits } from "../contract/Limits.ts"
import {
  fileName,
  type FilesetFile,
  filesetFiles,
  type FilesetKey,
  groupNames,
  type ListedFileset,
  shardDirectory
} from "../engine/FilesetName.ts"
import { fault, io } from "./Faults.ts"

export type Files = FileSystem["Service"]

/** Turns a missing file or directory into `value`. */
export const orWhenMissing = <A, B>(effect: Effect.Effect<A, FileError>, value: B): Effect.Effect<A | B, FileError> =>
  Effect.catchIf(effect, (error) => error.reason === "not-found", () => Effect.succeed(value))

/** Names in a directory; none when it does not exist. */
export const listNames = (fs: Files, directory: string): Effect.Effect<ReadonlyArray<string>, FilesetError> =>
  io(orWhenMissing(fs.list(directory), [] as ReadonlyArray<string>))

/** Size of a file, undefined when there is none. */
export const sizeOf = (fs: Files, path: string): Effect.Effect<number | undefined, FilesetError> =>
  io(Effect.map(orWhenMissing(fs.stat(path), undefined), (info) => info?.kind === "file" ? info.size : undefined))

export interface DirectoryFileset extends ListedFileset {
  readonly complete: boolean
}

/** The filesets of a directory, only those of `blockStart` when it is given. One `stat` for each checkpoint file. */
export const listFilesets = Effect.fnUntraced(function*(fs: Files, directory: string, blockStart?: bigint) {
  const out: Array<DirectoryFileset> = []
  for (const group of groupNames(yield* listNames(fs, directory))) {
    if (blockStart !== undefined && group.blockStart !== blockStart) continue
    const checkpoint = fileName(group.blockStart, group.volume, "checkpoint", group.legacy)
    const complete = group.files.has("checkpoint") &&
      (yield* sizeOf(fs, `${directory}/${checkpoint}`)) === Limits.checkpointBytes
    out.push({ ...group, complete })
  }
  return out
})

/** Removes the files of a fileset: the checkpoint first and durably, so that no crash leaves a complete-looking rest. */
export const removeFileset = Effect.fnUntraced(function*(fs: Files, key: FilesetKey) {
  const directory = shardDirectory(key.prefix, key.namespace, key.shard, key.tree)
  const path = (file: FilesetFile): string => `${directory}/${fileName(key.blockStart, key.volume, file, key.legacy)}`
  yield* io(fs.remove(path("checkpoint")))
  yield* io(orWhenMissing(fs.syncDirectory(directory), undefined))
  for (const file of filesetFiles) if (file !== "checkpoint") yield* io(fs.remove(path(file)))
})

/**
 * Makes sure that a fileset may be written under `key`: a complete volume is refused unless `overwrite`, a higher complete one
 * always, the rest of an incomplete one is removed.
 */
export const clearPlace = Effect.fnUntraced(function*(fs: Files, key: FilesetKey, overwrite: boolean) {
  const directory = shardDirectory(key.prefix, key.namespace, key.shard, key.tree)
  const there = yield* listFilesets(fs, directory, key.blockStart)
  for (const one of there) {
    if (!one.complete || one.volume < key.volume) continue
    const path = `${directory}/${fileName(one.blockStart, one.volume, "checkpoint", one.legacy)}`
    if (one.volume > key.volume) {
      return yield* fault(
        "newer-volume",
        path,
        `volume ${one.volume} of this block exists: a node reads the highest volume and would ignore volume ${key.volume}`,
        "write into an empty directory, or delete the higher volumes if what they hold may be lost"
      )
    }
    if (!overwrite) {
      return yield* fault(
        "exists",
        path,
        `a complete fileset of volume ${one.volume} exists`,
        "keep it and leave this block out, or allow overwriting"
      )
    }
  }
  for (const one of there) {
    if (one.volume === key.volume) yield* removeFileset(fs, { ...key, legacy: one.legacy })
  }
  const temporary = `.${fileName(key.blockStart, key.volume, "checkpoint")}.`
  for (const name of yield* listNames(fs, directory)) {
    if (name.startsWith(temporary)) yield* io(fs.remove(`${directory}/${name}`))
  }
})
