/**
 * Keeps V8's young generation small while a run goes on. Left alone it grows to 128 MiB of resident memory that no ledger knows, though
 * a run's buffers live outside of the heap and what is left for the heap is short-lived: a small one is as fast.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { setFlagsFromString } from "node:v8"

/** V8 multiplies by it after collections that many objects survived; its own is 2. A V8 without this flag ignores it. */
const growBy = (factor: 1 | 2): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`)

/**
 * Forbids V8 to grow the young generation beyond what it is now until the scope closes: 4 MiB after a start from the bundle, both halves
 * together. While the old generation is marked V8 may put pages beyond that, and takes them back after.
 */
export const boundYoungGeneration: Effect.Effect<void, never, Scope.Scope> = Effect.asVoid(Effect.acquireRelease(
  Effect.sync(() => growBy(1)),
  () => Effect.sync(() => growBy(2))
))
