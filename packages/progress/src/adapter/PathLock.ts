/**
 * Who serves at a path holds this lock as long as it does: an exclusive lock of SQLite on the empty file `PATH.lock`, which the system frees when the
 * process ends in whatever way. A socket alone is no lock: of two that find a dead one both would remove it, the later one the socket of the earlier.
 * The file stays: who removes one that another has just opened leaves two holders.
 */
import { accessSync, constants } from "node:fs"
import { dirname, resolve } from "node:path"
import { progressLimits } from "../contract/Limits.ts"

/** A lock that is held. */
export interface HeldPath {
  /** Gives it back; the second time does nothing. */
  readonly free: () => void
}

/** SQLITE_BUSY, SQLITE_LOCKED. */
const busyCodes: ReadonlySet<number> = new Set([5, 6])

const isBusy = (cause: unknown): boolean =>
  typeof cause === "object" && cause !== null && "errcode" in cause && busyCodes.has(Number(cause.errcode) & 255)

/** Takes the lock; undefined when another has it. Throws when there can be none, with what the system says of the directory. */
export const takePath = async (path: string): Promise<HeldPath | undefined> => {
  // Loaded here alone, so that who only shows progress does not pay for it.
  const { DatabaseSync } = await import("node:sqlite")
  // An absolute path is none of SQLite's own words, such as `file:`.
  const file = `${resolve(path)}.lock`
  accessSync(dirname(file), constants.W_OK | constants.X_OK)
  const database = new DatabaseSync(file, { timeout: progressLimits.lockWaitMillis })
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
  } catch (cause) {
    database.close()
    if (isBusy(cause)) return undefined
    throw cause
  }
  return {
    free: () => {
      if (database.isOpen) database.close()
    }
  }
}
