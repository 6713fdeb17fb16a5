/** Errors of files and of the index as errors of the store, each with what to do about it. */
import type { FileError } from "@peerstrap/storage"
import { StoreError } from "../../contract/ChainStore.ts"
import type { Refusal } from "../../engine/store/StoreInput.ts"

type Reason = StoreError["reason"]

const remedies: Partial<Record<Reason, string>> = {
  "no-space": "Free some space and start again: all that was reported as stored is there",
  "permission": "Give this user the right to write there, or name another directory",
  "io": "Look at the disk; all that was reported as stored is there once the disk answers again"
}

const reasonOf = (reason: FileError["reason"]): Reason => {
  if (reason === "no-space" || reason === "not-found") return reason
  return reason === "permission" || reason === "read-only" ? "permission" : "io"
}

export const storeError = (reason: Reason, path: string, message: string): StoreError => {
  const remedy = remedies[reason]
  return new StoreError({ reason, path, message: remedy === undefined ? message : `${message}. ${remedy}` })
}

export const fromFile = (error: FileError): StoreError => storeError(reasonOf(error.reason), error.path, error.message)

/** SQLite's primary result codes. */
const sqliteReasons = new Map<number, Reason>([
  [3, "permission"],
  [5, "in-use"],
  [8, "permission"],
  [11, "damaged"],
  [13, "no-space"],
  [14, "permission"],
  [26, "damaged"]
])

/** What `node:sqlite` threw, or a `StoreError` that was thrown beside it; anything else is a defect and thrown on. */
export const fromIndex = (path: string, cause: unknown): StoreError => {
  if (cause instanceof StoreError) return cause
  if (!(cause instanceof Error && "code" in cause)) throw cause
  const code = "errcode" in cause ? Number(cause.errcode) & 255 : -1
  const { message } = cause
  return storeError(sqliteReasons.get(code) ?? "io", path, `the index: ${message}`)
}

export const fromRefusal = (path: string, { message, reason }: Refusal): StoreError =>
  new StoreError({ reason, path, message })
