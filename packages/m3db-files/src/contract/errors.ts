/** What can go wrong with a fileset, always with the place and the next step. */
import * as Schema from "effect/Schema"

/** Why a fileset cannot be read or written. */
export const FilesetErrorReason = Schema.Literals([
  "missing",
  "incomplete",
  "checksum",
  "malformed",
  "limit",
  "exists",
  "newer-volume",
  "duplicate-id",
  "invalid-argument",
  "closed",
  "too-many-open",
  "no-space",
  "read-only",
  "permission",
  "io"
])
/** Why a fileset cannot be read or written. */
export type FilesetErrorReason = typeof FilesetErrorReason.Type

/** A fileset that cannot be read or written. `offset` is the byte in `path` where it was noticed, -1 when no byte is meant. */
export class FilesetError extends Schema.TaggedError<FilesetError>()("FilesetError", {
  path: Schema.String,
  offset: Schema.Finite,
  reason: FilesetErrorReason,
  message: Schema.String,
  remedy: Schema.String
}) {}
