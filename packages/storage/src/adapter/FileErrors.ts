/** Turns a system error into a `FileError`: what was tried, on which path, why it failed. */
import { FileError, type FileErrorReason } from "../contract/FileSystem.ts"

const reasonByCode = new Map<string, FileErrorReason>([
  ["ENOENT", "not-found"],
  ["EEXIST", "already-exists"],
  ["ENOTEMPTY", "already-exists"],
  ["EACCES", "permission"],
  ["EPERM", "permission"],
  ["EROFS", "read-only"],
  ["ENOSPC", "no-space"],
  ["EDQUOT", "no-space"],
  ["EISDIR", "is-directory"],
  ["ENOTDIR", "not-a-directory"],
  ["EMFILE", "too-many-open"],
  ["ENFILE", "too-many-open"]
])

const advice: Record<FileErrorReason, string> = {
  "not-found": "there is no such file or directory",
  "already-exists": "something is in its place already, and not what was expected",
  "permission": "this user may not do that; check the owner and the mode",
  "read-only": "the file system is mounted read-only",
  "no-space": "the disk or the quota is full; free some space",
  "is-directory": "this is a directory, a file was expected",
  "not-a-directory": "a part of the path is a file, a directory was expected",
  "io": "the system reports a failed operation",
  "too-many-open": "too many open files; raise the limit (ulimit -n)",
  "in-use": "somebody else holds it; wait for its end or stop it, or take another place"
}

/** The system's error code (`ENOENT`), or undefined for anything else. */
export const errorCode = (cause: unknown): string | undefined =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : undefined

/** The reason that belongs to a system error code; `io` for all others. */
export const reasonOf = (cause: unknown): FileErrorReason => {
  const code = errorCode(cause)
  return code === undefined ? "io" : reasonByCode.get(code) ?? "io"
}

/** For people; operations that are not here are called by their names. */
const wordsOf = new Map([
  ["openRead", "open"],
  ["readFile", "read"],
  ["writeFileAtomic", "write"],
  ["makeDirectory", "make directory"],
  ["syncDirectory", "sync directory"],
  ["freeBytes", "free space at"]
])

/** Builds the error that every implementation of the port fails with. */
export const fileError = (operation: string, path: string, reason: FileErrorReason, detail?: string): FileError =>
  new FileError({
    operation,
    path,
    reason,
    message: `${wordsOf.get(operation) ?? operation} ${path}: ${advice[reason]}${
      detail === undefined ? "" : ` (${detail})`
    }`
  })

/** A caught system error as a `FileError`; a `FileError` passes unchanged. */
export const fromCause = (operation: string, path: string, cause: unknown): FileError =>
  cause instanceof FileError
    ? cause
    : fileError(operation, path, reasonOf(cause), cause instanceof Error ? cause.message : String(cause))

/** The error of a lock that `holder` has: "process 12". */
export const inUse = (path: string, holder: string): FileError =>
  new FileError({
    operation: "lock",
    path,
    reason: "in-use",
    message: `lock ${path}: ${holder} holds it; wait for its end or stop it, or take another place`
  })
