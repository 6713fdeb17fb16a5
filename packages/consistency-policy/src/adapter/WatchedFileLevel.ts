/**
 * A level that is a word in a file. The directory is watched (so that replacing the file by a rename is seen, too) and the
 * file is looked at from time to time as well, for file systems without events.
 *
 *   fs.watch ─┐
 *             ├─► look ─► LevelFile (engine) ─► set / withdraw / warn ─► LevelControl ─► LevelSource
 *   Clock ────┘
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { constants, type FSWatcher, watch } from "node:fs"
import { open } from "node:fs/promises"
import { basename, dirname, resolve } from "node:path"
import type { Level } from "../contract/Level.ts"
import { LevelControl } from "../contract/LevelControl.ts"
import type { LevelSource } from "../contract/LevelSource.ts"
import { Limits } from "../contract/Limits.ts"
import { LevelFile, type LevelFileLook } from "../engine/LevelFile.ts"
import * as SettableLevel from "./SettableLevel.ts"

/** Which file, and how it is watched. */
export interface LevelFileOptions {
  readonly path: string
  /** Time between two looks without an event. Default `Limits.pollMillis`. */
  readonly pollMillis?: number
  /** Whether to ask for file events. Default true; without them only the polls see a change. */
  readonly watch?: boolean
}

/**
 * Lets a file drive the `LevelControl` that is there, beside whatever else drives it. The file is looked at once before the layer
 * is there. Origin of its changes: `file /absolute/path`.
 */
export const layerFeeding = (options: LevelFileOptions): Layer.Layer<never, never, LevelControl> =>
  Layer.effectDiscard(follow(options))

/** The level of a file; `otherwise` (the flag's) while there is none. */
export const layer = (
  options: LevelFileOptions & { readonly otherwise: Level; readonly otherwiseOrigin?: string }
): Layer.Layer<LevelSource | LevelControl> =>
  layerFeeding(options).pipe(Layer.provideMerge(SettableLevel.layer(options.otherwise, options.otherwiseOrigin)))

const follow = Effect.fnUntraced(function*(options: LevelFileOptions) {
  const control = yield* LevelControl
  const path = resolve(options.path)
  const origin = `file ${path}`
  const pollMillis = options.pollMillis ?? Limits.pollMillis
  const file = new LevelFile()
  const signals = yield* Queue.sliding<"event">(1)
  const directory = yield* directoryWatch(path, signals)
  const ensureWatched = options.watch === false ? Effect.void : directory.ensure

  const check = Effect.fnUntraced(function*(seen: LevelFileLook, settled: boolean) {
    const action = file.step(seen, settled)
    if (action.act === "set") yield* control.set(action.level, origin)
    else if (action.act === "withdraw") yield* control.withdraw(origin)
    else if (action.act === "warn") {
      yield* Effect.logWarning(
        `level file ${path}: ${action.message}; the level stays`
      )
    }
  })

  const poll = Effect.as(Effect.sleep(pollMillis), "poll" as const)
  const turn = Effect.flatMap(
    Effect.raceFirst(Queue.take(signals), poll),
    (cause) => Effect.flatMap(Effect.andThen(ensureWatched, look(path)), (seen) => check(seen, cause === "poll"))
  )

  yield* ensureWatched
  const first = yield* look(path)
  // A name that is mistyped looks like this as well.
  if (first.found === "absent") {
    yield* Effect.logWarning(`level file ${path} is not there yet; the level stays until it is`)
  }
  yield* check(first, true)
  yield* Effect.forkScoped(Effect.forever(turn))
})

/** `ensure` sees to it that the directory is watched: tries again after a watch was lost or could not be had. */
const directoryWatch = Effect.fnUntraced(function*(path: string, signals: Queue.Queue<"event">) {
  const scope = yield* Effect.scope
  let watcher: FSWatcher | undefined
  const stop = (): void => {
    watcher?.close()
    watcher = undefined
  }
  yield* Scope.addFinalizer(scope, Effect.sync(stop))
  const ensure = Effect.sync(() => {
    if (watcher !== undefined) return
    try {
      watcher = watch(dirname(path), { persistent: false })
    } catch {
      // No such directory yet, or no watches left: the polls do the work and come back here.
      return
    }
    watcher.on("change", (_, name) => {
      // A mounted configuration is swapped through a `..data` link, of which the file's own name is not told.
      const concerned = name === null || String(name) === basename(path) || String(name).startsWith("..")
      if (concerned) Queue.offerUnsafe(signals, "event")
    })
    watcher.on("error", stop)
  })
  return { ensure }
})

const look = (path: string): Effect.Effect<LevelFileLook> => Effect.promise(() => lookAt(path))

const lookAt = async (path: string): Promise<LevelFileLook> => {
  try {
    // Not blocking: a pipe put in the file's place must not hold the process.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { ino, mtimeNs } = await handle.stat({ bigint: true })
      const bytes = new Uint8Array(Limits.maxLevelFileBytes + 1)
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
      if (bytesRead > Limits.maxLevelFileBytes) {
        return { found: "unreadable", reason: `longer than ${Limits.maxLevelFileBytes} bytes` }
      }
      const text = new TextDecoder().decode(bytes.subarray(0, bytesRead))
      return { found: "text", text, stamp: `${ino}/${mtimeNs}` }
    } finally {
      await handle.close()
    }
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    return code === "ENOENT" || code === "ENOTDIR"
      ? { found: "absent" }
      : { found: "unreadable", reason: `cannot be read (${code})` }
  }
}
