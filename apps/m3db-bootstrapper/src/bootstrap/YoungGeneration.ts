/**
 * Keeps V8's young generation small while a run goes on. Left alone it grows to 128 MiB of resident memory that no ledger knows, though
 * a run's buffers live outside of the heap and what is left for the heap is short-lived: a small one is as fast.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { PerformanceObserver } from "node:perf_hooks"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"

/** Both halves together. V8 begins with 2 MiB and doubles after collections that many objects survived. */
export const youngGenerationBytes = 16 * 2 ** 20

const sizeBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0

/**
 * Until the scope closes, looks after each collection and takes V8's growth back to none at the bound. A second collection in the
 * same turn of the event loop can double it once more. A V8 without this flag ignores it.
 */
export const boundYoungGeneration: Effect.Effect<void, never, Scope.Scope> = Effect.asVoid(Effect.acquireRelease(
  Effect.sync(() => {
    let mayGrow = true
    const look = (): void => {
      const may = 2 * sizeBytes() <= youngGenerationBytes
      if (may === mayGrow) return
      mayGrow = may
      setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`)
    }
    const observer = new PerformanceObserver(look)
    observer.observe({ entryTypes: ["gc"] })
    return observer
  }),
  (observer) =>
    Effect.sync(() => {
      observer.disconnect()
      setFlagsFromString("--semi-space-growth-factor=2")
    })
))
