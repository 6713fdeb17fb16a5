/**
 * The few file operations that durable formats need, with fsync and atomic replace. Node files and memory implement it and
 * pass one kit (`@peerstrap/storage/testing`).
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** Why a file operation failed. */
export const FileErrorReason = Schema.Literals([
  "not-found",
  "already-exists",
  "permission",
  "read-only",
  "no-space",
  "is-directory",
  "not-a-directory",
  "io",
  "too-many-open",
  "in-use"
])
/** Why a file operation failed. */
export type FileErrorReason = typeof FileErrorReason.Type

/** A local fault, always: what was tried, on which path, why it failed. `in-use`: somebody else holds the lock; the message says which process. */
export class FileError extends Schema.TaggedError<FileError>()("FileError", {
  operation: Schema.String,
  path: Schema.String,
  reason: FileErrorReason,
  message: Schema.String
}) {}

/** An open file. All positions are explicit byte offsets from the start. */
export interface File {
  readonly path: string
  /** Reads up to `length` bytes at `position`; shorter only at the end of the file. The result is the caller's. */
  read(position: number, length: number): Effect.Effect<Uint8Array, FileError>
  /** Appends all chunks in order with as few system calls as possible; complete or failed. */
  append(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, FileError>
  readonly size: Effect.Effect<number, FileError>
  /** Makes content durable (fdatasync). */
  readonly sync: Effect.Effect<void, FileError>
  readonly close: Effect.Effect<void, FileError>
}

/** What a path names, and its size in bytes. */
export interface FileInfo {
  readonly kind: "file" | "directory" | "other"
  readonly size: number
}

/** Service: files with fsync and atomic replace. */
export class FileSystem extends Context.Service<FileSystem, {
  /** Creates or truncates a file for appending and reading. Missing directories are made (mode 0755, files 0666, before umask). */
  create(path: string, options?: { readonly mode?: number }): Effect.Effect<File, FileError>
  openRead(path: string): Effect.Effect<File, FileError>
  /** The whole file; refuses (reason `io`, with the numbers) when it is larger than `maxBytes`. */
  readFile(path: string, maxBytes: number): Effect.Effect<Uint8Array, FileError>
  /** Writes a temporary file beside `path`, syncs it, renames it over `path`, syncs the directory. */
  writeFileAtomic(path: string, bytes: Uint8Array, options?: { readonly mode?: number }): Effect.Effect<void, FileError>
  /** Names in a directory, sorted; a missing directory is `not-found`. */
  list(path: string): Effect.Effect<ReadonlyArray<string>, FileError>
  stat(path: string): Effect.Effect<FileInfo, FileError>
  makeDirectory(path: string): Effect.Effect<void, FileError>
  /** Makes directory entries durable (fsync of the directory). */
  syncDirectory(path: string): Effect.Effect<void, FileError>
  rename(from: string, to: string): Effect.Effect<void, FileError>
  /** Removes a file; a missing file is no error. */
  remove(path: string): Effect.Effect<void, FileError>
  /** Bytes free for an ordinary user on the file system of `path` (its nearest existing parent). */
  freeBytes(path: string): Effect.Effect<number, FileError>
  /**
   * Holds the name `path` until the scope ends, or fails with `in-use` at once: one holder at a time among all processes of the machine. A holder that ends
   * without closing its scope, killed for instance, holds nothing any more. Missing directories are made. Nothing else may be done to `path` and to `path.*`,
   * where an implementation may keep files of its own; they stay and hold nobody.
   */
  lock(path: string): Effect.Effect<void, FileError, Scope.Scope>
}>()("@peerstrap/storage/FileSystem") {}
