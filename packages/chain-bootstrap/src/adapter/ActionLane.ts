/** A queue of actions with one fiber that works them off: what the engine wants of the store and of the applier, each in its order. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"

interface Flush {
  readonly kind: "flush"
  readonly done: Deferred.Deferred<void>
}

export interface ActionLane<A, E> {
  offer(action: A): void
  /** Actions that have not been begun. */
  readonly waiting: number
  /** Runs until interrupted or until an action fails. */
  readonly run: Effect.Effect<never, E>
  /** Completes when everything offered before is done, or when the lane has ended and nothing ever will be. */
  readonly flushed: Effect.Effect<void>
  /** How the lane ended, as soon as `flushed` can tell. */
  readonly ended: Exit.Exit<never, E> | undefined
}

/**
 * `work` gets actions in the order in which they were offered, at most `most` at a time. The queue is unbounded, because the engine cannot be made to
 * wait; whoever feeds the engine looks at `waiting` instead.
 */
export const makeActionLane = Effect.fnUntraced(function*<A extends { readonly kind: string }, E>(
  most: number,
  work: (actions: ReadonlyArray<A>) => Effect.Effect<void, E>
) {
  const items = yield* Queue.unbounded<A | Flush>()
  const over = yield* Deferred.make<void>()
  let ended: Exit.Exit<never, E> | undefined
  const isFlush = (item: A | Flush): item is Flush => item.kind === "flush"
  const turn = Effect.gen(function*() {
    let actions: Array<A> = []
    for (const item of yield* Queue.takeBetween(items, 1, most)) {
      if (!isFlush(item)) {
        actions.push(item)
        continue
      }
      if (actions.length > 0) yield* work(actions)
      actions = []
      yield* Deferred.succeed(item.done, undefined)
    }
    if (actions.length > 0) yield* work(actions)
  })
  const lane: ActionLane<A, E> = {
    offer: (action) => void Queue.offerUnsafe(items, action),
    get waiting() {
      return Queue.sizeUnsafe(items)
    },
    run: Effect.onExit(Effect.forever(turn), (exit) => {
      ended = exit
      return Deferred.succeed(over, undefined)
    }),
    flushed: Effect.suspend(() => {
      const done = Deferred.makeUnsafe<void>()
      Queue.offerUnsafe(items, { kind: "flush", done })
      return Effect.raceFirst(Deferred.await(done), Deferred.await(over))
    }),
    get ended() {
      return ended
    }
  }
  return lane
})
