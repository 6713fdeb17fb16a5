/** From file errors and codec findings to `FilesetError`: where it was, and what to do. */
import type { FileError } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { FilesetError, type FilesetErrorReason } from "../contract/errors.ts"
import type { Malformed } from "../contract/Malformed.ts"

export const fault = (
  reason: FilesetErrorReason,
  path: string,
  message: string,
  remedy: string,
  offset = -1
): FilesetError => new FilesetError({ path, offset, reason, message, remedy })

const fileReasons: Partial<Record<FileError["reason"], readonly [FilesetErrorReason, string]>> = {
  "not-found": ["missing", "restore the file, or delete the fileset and fetch the block again"],
  "permission": ["permission", "run as the owner of the directory, or change its permissions"],
  "read-only": ["read-only", "mount the file system writable, or choose another directory"],
  "no-space": ["no-space", "free space on this file system, then run again"],
  "too-many-open": ["too-many-open", "raise the limit of open files (ulimit -n), or lower maxOpenBlocks"]
}

export const fromFile = (error: FileError): FilesetError => {
  const [reason, remedy] = fileReasons[error.reason] ?? ["io" as const, "look at the system's log for this device"]
  return fault(reason, error.path, `${error.operation}: ${error.message}`, remedy)
}

/** Maps file errors of an effect. */
export const io = <A, R>(effect: Effect.Effect<A, FileError, R>): Effect.Effect<A, FilesetError, R> =>
  Effect.mapError(effect, fromFile)

export const refetch = "delete this fileset (checkpoint file first) and fetch the block again from its replicas"

/** A decoder's finding in the file at `path`; `base` is where its bytes begin in the file. */
export const damaged = (path: string, found: Malformed, base = 0): FilesetError =>
  fault(found.reason, path, found.message, refetch, base + found.offset)
