/** What this process holds open: for plugins that open sockets, files and processes of the machine. */
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readlinkSync } from "node:fs"

/** Sockets, servers, watchers, processes, threads: what a plugin can leave behind. Timers are not among them. */
const counted = /^(?:TCP|UDP|Pipe|Process|FSEvent|StatWatcher|Worker|FileHandle|HTTP|TLS)/

/** How many there are now. Nothing else may open or close any meanwhile: run such suites one after the other. */
export const processHandles: Effect.Effect<number> = Effect.sync(() =>
  process.getActiveResourcesInfo().filter((name) => counted.test(name)).length
)

const openFiles = "/proc/self/fd"

const targetOf = (descriptor: string): string => {
  try {
    return readlinkSync(`${openFiles}/${descriptor}`)
  } catch {
    return ""
  }
}

/** Files below a folder that this process holds open. Where the system does not tell (it is not Linux): 0. */
export const filesOpenBelow = (folder: string): Effect.Effect<number> =>
  Effect.sync(() =>
    existsSync(openFiles)
      ? readdirSync(openFiles).filter((descriptor) => targetOf(descriptor).startsWith(`${folder}/`)).length
      : 0
  )
