/**
 * Directories that are durable as soon as they are made. Levels are made one by one: Node's own recursive mkdir never comes back where an
 * existing directory takes no entries (`/proc`), for it asks for the parent again and again.
 */
import * as fs from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { errorCode } from "./FileErrors.ts"

const directoryMode = 0o755

/** Makes the entries of a directory durable. */
export const syncDirectoryAt = async (path: string): Promise<void> => {
  const handle = await fs.open(path, "r")
  try {
    await handle.sync()
  } catch (cause) {
    // Some network and sandbox file systems have no fsync for directories; there is nothing left to ask them for.
    const code = errorCode(cause)
    if (code !== "EINVAL" && code !== "ENOTSUP") throw cause
  } finally {
    await handle.close()
  }
}

const whatIs = async (path: string): Promise<"directory" | "else" | "absent"> => {
  try {
    return (await fs.stat(path)).isDirectory() ? "directory" : "else"
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause
    return "absent"
  }
}

/** Whether this call made it; false: somebody else did. */
const makeLevel = async (path: string): Promise<boolean> => {
  try {
    await fs.mkdir(path, directoryMode)
    return true
  } catch (cause) {
    if (errorCode(cause) !== "EEXIST" || (await whatIs(path)) !== "directory") throw cause
    return false
  }
}

/** Makes a directory and all above it that are missing; each level is tried once. */
export const makeDirectoryAt = async (path: string): Promise<void> => {
  const missing: Array<string> = []
  for (let at = resolve(path); at !== dirname(at); at = dirname(at)) {
    const what = await whatIs(at)
    if (what === "directory") break
    missing.push(at)
    // A file in the way: mkdir says so in the system's own words.
    if (what === "else") break
  }
  const made: Array<string> = []
  for (const level of missing.toReversed()) if (await makeLevel(level)) made.push(level)
  // Each new level is an entry of its parent: durable only when the parent is synced.
  for (const level of made.toReversed()) await syncDirectoryAt(dirname(level))
}
