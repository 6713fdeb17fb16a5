/**
 * Appends that wait at the same time share one write and one sync. One fiber writes; an append is done when its group is durable and the index knows it.
 * A caller that is interrupted leaves its append in the queue: it is written all the same.
 */
import type { Done } from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { BodyUnit, HeaderFacts } from "../../contract/Block.ts"
import { type AppliedStep, type ChosenSegment, StoreError } from "../../contract/ChainStore.ts"
import { storeLimits } from "../../contract/StoreLimits.ts"

export type Append =
  | { readonly kind: "headers"; readonly headers: ReadonlyArray<HeaderFacts> }
  | { readonly kind: "units"; readonly units: ReadonlyArray<BodyUnit> }
  | { readonly kind: "segment"; readonly segment: ChosenSegment }
  | { readonly kind: "step"; readonly step: AppliedStep }

interface Waiting {
  readonly append: Append
  readonly done: Deferred.Deferred<void, StoreError>
}

const bytesOf = (append: Append): number => {
  if (append.kind === "headers") return append.headers.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (append.kind === "units") return append.units.reduce((sum, { body }) => sum + body.length, 0)
  return 0
}

/**
 * The longest group from the front, up to the bound of bytes. An applied step is a group of its own: whether it fits is judged by the chain as the ones
 * before have left it, and when it does not, nothing else fails.
 */
const nextGroup = (queue: Array<Waiting>): ReadonlyArray<Waiting> => {
  let count = 0
  let bytes = 0
  for (const { append } of queue) {
    bytes += bytesOf(append)
    if (count > 0 && (append.kind === "step" || bytes > storeLimits.groupBytes)) break
    count++
    if (append.kind === "step") break
  }
  return queue.splice(0, count)
}

/** Starts the writing fiber; `write` takes a group in order. When the scope ends, what waits is written first. */
export const groupCommit = (
  write: (group: ReadonlyArray<Append>) => Effect.Effect<void, StoreError>
): Effect.Effect<(append: Append) => Effect.Effect<void, StoreError>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<Waiting, Done>()
    const writeAll = Effect.fnUntraced(function*(taken: Array<Waiting>) {
      while (taken.length > 0) {
        const group = nextGroup(taken)
        const exit = yield* Effect.exit(write(group.map(({ append }) => append)))
        for (const { done } of group) Deferred.doneUnsafe(done, exit)
      }
    })
    const writing = Effect.forever(Effect.flatMap(Queue.takeAll(queue), writeAll))
    yield* Effect.acquireRelease(
      Effect.forkDetach(Effect.ignore(writing), { uninterruptible: true }),
      (fiber) => Effect.andThen(Queue.end(queue), Fiber.await(fiber))
    )
    return (append: Append) =>
      Effect.suspend(() => {
        const done = Deferred.makeUnsafe<void, StoreError>()
        if (!Queue.offerUnsafe(queue, { append, done })) {
          return Effect.fail(new StoreError({ reason: "io", path: "", message: "the store is closed" }))
        }
        return Deferred.await(done)
      })
  })
