/**
 * Drains and stops a composition. Whatever a plugin does at its end holds the host for no longer than its times, and keeps no other plugin from
 * its own end: what is given up goes on in a fiber that nobody waits for, and is told.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { hostLimits } from "../contract/Limits.ts"
import { type LivePart, type Running, wordsOf } from "./Running.ts"

/** Undefined when it took longer. A bound on a fiber, as what cannot be interrupted must not be waited for either. */
const within = <A, E>(millis: number, fiber: Fiber.Fiber<A, E>): Effect.Effect<Exit.Exit<A, E> | undefined> =>
  Fiber.await(fiber).pipe(
    Effect.interruptible,
    Effect.timeoutOrElse({ duration: millis, orElse: () => Effect.undefined })
  )

const drainPart = Effect.fnUntraced(function*(running: Running, live: LivePart) {
  const millis = running.options.drainMillis ?? hostLimits.drainMillis
  const failures: Array<string> = []
  const drains = Effect.forEach(
    live.drains,
    (drain) => Effect.catchCause(drain, (cause) => Effect.sync(() => void failures.push(wordsOf(Cause.squash(cause))))),
    { discard: true }
  )
  const changed = running.settings.changing(live.node.name) ?? Effect.void
  const draining = yield* Effect.forkDetach(Effect.andThen(changed, drains))
  const drained = yield* within(millis, draining)
  draining.interruptUnsafe()
  if (drained === undefined) live.drained = `did not drain within ${millis} ms and was given up`
  else if (Exit.isFailure(drained)) failures.push(wordsOf(Cause.squash(drained.cause)))
  if (failures.length > 0 && drained !== undefined) live.drained = `did not drain: ${failures.join(", ")}`
})

/** Asks every plugin to finish what is under way: one that others use when they have, those that do not use each other side by side. */
export const drain = Effect.fnUntraced(function*(running: Running) {
  running.settings.close()
  const { nodes, order } = running.graph
  /** By part: what has to end before it is its turn. */
  const before = nodes.map(() => new Set<Fiber.Fiber<void>>())
  const drains: Array<Fiber.Fiber<void>> = []
  for (const at of order.toReversed()) {
    const live = running.live.get(at)
    if (live === undefined) continue
    const mine = before[at]!
    if (live.drains.length > 0 || running.settings.changing(live.node.name) !== undefined) {
      const turn = Effect.andThen(Fiber.awaitAll([...mine]), drainPart(running, live))
      const draining = yield* Effect.forkDetach(turn)
      drains.push(draining)
      mine.clear()
      mine.add(draining)
    }
    for (const { providers } of live.node.requires) {
      for (const provider of providers) for (const draining of mine) before[provider]!.add(draining)
    }
  }
  if (drains.length > 0) yield* Fiber.awaitAll(drains)
})

/** Closes every part's scope, latest first. */
export const stop = Effect.fnUntraced(function*(running: Running) {
  const { board, graph, options } = running
  const millis = options.stopMillis ?? hostLimits.stopMillis
  for (const at of graph.order.toReversed()) {
    const live = running.live.get(at)
    if (live === undefined) continue
    board.move(at, "stopping", live.drained === "" ? "stops" : live.drained, running.now)
    const started = live.building === undefined ? Effect.void : Fiber.await(live.building)
    const closing = yield* Effect.forkDetach(Effect.andThen(started, Scope.close(live.scope, Exit.void)))
    const closed = yield* within(millis, closing)
    const stopped = closed === undefined
      ? `did not stop within ${millis} ms and was left behind`
      : Exit.isFailure(closed)
      ? `did not stop as it should: ${wordsOf(Cause.squash(closed.cause))}`
      : ""
    board.move(at, "stopped", [live.drained, stopped].filter((words) => words !== "").join("; "), running.now)
  }
})
