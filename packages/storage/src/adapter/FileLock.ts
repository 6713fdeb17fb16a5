/**
 * A name that one process holds at a time: an exclusive lock of SQLite on the empty file `PATH.sqlite`, which the system frees when the process ends in
 * whatever way. The file stays: who removes one that another has just opened leaves two holders. `PATH.pid` only says whom to ask.
 *
 * Nothing but SQLite may open `PATH.sqlite`: a process that closes any descriptor of a file loses all its locks there (POSIX).
 */
import { constants, unlinkSync } from "node:fs"
import * as fs from "node:fs/promises"
import { hostname } from "node:os"
import { dirname, resolve } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import type { FileError } from "../contract/FileSystem.ts"
import { Limits } from "../contract/Limits.ts"
import { errorCode, fileError, fromCause, inUse } from "./FileErrors.ts"

/** A lock that is held. */
export interface HeldLock {
  /** Gives it back; never fails. */
  free(): void
}

/** SQLITE_BUSY, SQLITE_LOCKED. */
const busyCodes: ReadonlySet<number> = new Set([5, 6])

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return errorCode(cause) === "EPERM"
  }
}

/** What the holder wrote: process id and machine. It may not have done so yet, so that these are of the one before. */
const holderOf = async (pidPath: string): Promise<string> => {
  const handle = await fs.open(pidPath, "r").catch(() => undefined)
  if (handle === undefined) return "another process"
  try {
    const { buffer, bytesRead } = await handle.read(
      new Uint8Array(Limits.lockHolderBytes),
      0,
      Limits.lockHolderBytes,
      0
    )
    const [, id, machine] = /^(\d+)(?: (\S+))?$/.exec(new TextDecoder().decode(buffer.subarray(0, bytesRead))) ?? []
    if (id === undefined) return "another process"
    if (machine !== undefined && machine !== hostname()) return `process ${id} of ${machine}`
    if (Number(id) === process.pid) return `this process (${id})`
    return isAlive(Number(id)) ? `process ${id}` : "another process"
  } catch {
    return "another process"
  } finally {
    await handle.close()
  }
}

/** SQLite says that it cannot open or write a file, and not why: the system is asked. */
const systemProblem = async (path: string, file: string): Promise<FileError | undefined> => {
  try {
    const info = await fs.stat(file).catch(() => undefined)
    if (info === undefined) await fs.access(dirname(file), constants.W_OK | constants.X_OK)
    else if (info.isDirectory()) return fileError("lock", path, "is-directory", file)
    else await fs.access(file, constants.R_OK | constants.W_OK)
    return undefined
  } catch (cause) {
    return fromCause("lock", path, cause)
  }
}

const refusal = async (path: string, file: string, cause: unknown): Promise<FileError> => {
  const code = typeof cause === "object" && cause !== null && "errcode" in cause ? Number(cause.errcode) & 255 : 0
  if (busyCodes.has(code)) return inUse(path, await holderOf(`${path}.pid`))
  const words = cause instanceof Error ? cause.message : String(cause)
  return (await systemProblem(path, file)) ??
    fileError("lock", path, "io", `${file}, an empty file on a file system with locks, gives: ${words}`)
}

/** Takes the lock or throws a `FileError`. The directory is there. */
export const takeLock = async (path: string): Promise<HeldLock> => {
  // Loaded here alone, so that nobody else pays for it.
  const { DatabaseSync } = await import("node:sqlite")
  // An absolute path is none of SQLite's own words, such as `file:`.
  const file = `${resolve(path)}.sqlite`
  const pidPath = `${path}.pid`
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: Limits.lockWaitMillis })
    // Not in the mode of exclusive locks: there one that is refused keeps its share for the next try, so that of two at once both are refused.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
  } catch (cause) {
    database?.close()
    throw await refusal(path, file, cause)
  }
  const held = database
  // Without it the lock is no worse, only its holder's name is missing.
  await fs.writeFile(pidPath, `${process.pid} ${hostname()}`).catch(() => undefined)
  return {
    free: () => {
      try {
        // While it is still ours: later it is another's.
        unlinkSync(pidPath)
      } catch {
        // Gone already, with its directory perhaps.
      }
      held.close()
    }
  }
}
