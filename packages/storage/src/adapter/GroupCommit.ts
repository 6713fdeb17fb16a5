/**
 * Group commit: what callers submit while one group is being made durable becomes the next group, so that many callers share one sync. The
 * order of groups, and within them, is that of the calls.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

interface Waiting<Item, A, E> {
  readonly item: Item
  readonly bytes: number
  readonly done: Deferred.Deferred<A, E>
}

export interface GroupCommitOptions<Item, A, E> {
  /** Bytes of a group, beside its first item. */
  readonly maxBytes: number
  /** Makes items durable and answers for each, in their order. One at a time, never interrupted. */
  readonly commit: (items: ReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<A>, E>
  /** What a submission after the end fails with. */
  readonly closed: () => E
}

/** Ends with its scope, once all that was submitted before is committed. */
export const makeGroupCommit = Effect.fnUntraced(function*<Item, A, E>(options: GroupCommitOptions<Item, A, E>) {
  const waiting = new Set<Waiting<Item, A, E>>()
  /** There while groups are being committed; done when none is left. Set before anything else can run, so that nobody is forgotten. */
  let draining: Deferred.Deferred<void> | undefined
  let isClosed = false

  const takeGroup = (): ReadonlyArray<Waiting<Item, A, E>> => {
    const group: Array<Waiting<Item, A, E>> = []
    let bytes = 0
    for (const each of waiting) {
      if (group.length > 0 && bytes + each.bytes > options.maxBytes) break
      waiting.delete(each)
      group.push(each)
      bytes += each.bytes
    }
    return group
  }

  const drain = Effect.fnUntraced(function*() {
    // One turn for callers that are about to submit, so that they share the first sync already.
    yield* Effect.yieldNow
    while (waiting.size > 0) {
      const group = takeGroup()
      const exit = yield* Effect.exit(options.commit(group.map(({ item }) => item)))
      group.forEach(({ done }, i) =>
        Deferred.doneUnsafe(done, Exit.isSuccess(exit) ? Exit.succeed(exit.value[i]!) : Exit.failCause(exit.cause))
      )
    }
    const drained = draining!
    draining = undefined
    Deferred.doneUnsafe(drained, Effect.void)
  })

  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isClosed = true
      return draining === undefined ? Effect.void : Deferred.await(draining)
    })
  )

  /** Waits until the item is durable. An interrupted caller takes back what still waits, and waits for what is being committed. */
  const submit = (item: Item, bytes: number): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
      if (isClosed) return yield* Effect.fail(options.closed())
      const mine: Waiting<Item, A, E> = { item, bytes, done: Deferred.makeUnsafe() }
      waiting.add(mine)
      if (draining === undefined) {
        draining = Deferred.makeUnsafe()
        yield* Effect.forkDetach(Effect.uninterruptible(drain()))
      }
      return yield* Effect.onInterrupt(
        restore(Deferred.await(mine.done)),
        () => waiting.delete(mine) ? Effect.void : Effect.ignore(Deferred.await(mine.done))
      )
    }))

  return { submit }
})
