/** What this process holds open: for plugins that open sockets, files and processes of the machine. */
import * as Effect from "effect/Effect"

/** Sockets, servers, watchers, processes, threads: what a plugin can leave behind. Timers are not among them. */
const counted = /^(?:TCP|UDP|Pipe|Process|FSEvent|StatWatcher|Worker|FileHandle|HTTP|TLS)/

/** How many there are now. Nothing else may open or close any meanwhile: run such suites one after the other. */
export const processHandles: Effect.Effect<number> = Effect.sync(() =>
  process.getActiveResourcesInfo().filter((name) => counted.test(name)).length
)
