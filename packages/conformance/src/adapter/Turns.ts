/** Time as checks measure it: turns of the scheduler, not milliseconds. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { conformanceLimits } from "../contract/ConformanceLimits.ts"
import { fail } from "./Expect.ts"

/** Lets everything else run `count` times. */
export const turns: (count: number) => Effect.Effect<void> = Effect.fnUntraced(function*(count: number) {
  for (let turn = 0; turn < count; turn++) yield* Effect.yieldNow
})

/** Tells whether a fiber has ended. */
export const isDone = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined

/** The exit of an effect, or undefined when it has not ended after so many turns; then it is interrupted and left behind. */
export const exitWithin = Effect.fnUntraced(function*<A, E, R>(
  effect: Effect.Effect<A, E, R>,
  patienceTurns: number = conformanceLimits.patienceTurns
) {
  // Nobody waits for a child that is detached: one that cannot be interrupted does not hold the runner.
  const fiber = yield* Effect.forkDetach(Effect.exit(effect))
  const wait = Effect.gen(function*() {
    for (let turn = 0; turn < patienceTurns && !isDone(fiber); turn += 20) yield* turns(20)
    return isDone(fiber)
  })
  const isEnded = yield* Effect.onExit(wait, () => Effect.sync(() => fiber.interruptUnsafe()))
  return isEnded ? yield* Fiber.join(fiber) : undefined
})

/** Whether a run ended by itself while something else was waited for; else it is interrupted. Fails as the run does. */
const endsWithin = Effect.fnUntraced(function*<A, E, R>(run: Effect.Effect<A, E, R>, wait: Effect.Effect<void>) {
  const fiber = yield* Effect.forkChild(Effect.exit(run))
  yield* wait
  const isWhole = isDone(fiber)
  if (!isWhole) yield* Fiber.interrupt(fiber)
  const exit = isWhole ? yield* Fiber.join(fiber) : undefined
  if (exit !== undefined && Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
  return isWhole
})

/**
 * Runs to the end, and gives how to wait for a share of what that took: in turns, or in time where that is virtual and stands still while anybody takes
 * turns. Fails as the run does, and when it does not end.
 */
const runWhole = Effect.fnUntraced(function*<A, E, R>(run: Effect.Effect<A, E, R>) {
  const clock = yield* Clock.Clock
  const { maxRunTurns, maxSteps } = conformanceLimits
  const startNanos = clock.monotonicTimeNanosUnsafe()
  const fiber = yield* Effect.forkChild(Effect.exit(run))
  let taken = 0
  let isVirtual = false
  for (; !isDone(fiber) && !isVirtual && taken < maxRunTurns; taken++) {
    yield* Effect.yieldNow
    isVirtual = taken === maxSteps && clock.monotonicTimeNanosUnsafe() === startNanos
  }
  if (!isDone(fiber) && !isVirtual) {
    yield* Fiber.interrupt(fiber)
    return yield* fail(`a run that is interrupted at each step never ends by itself, not in ${taken} turns`)
  }
  const exit = yield* Fiber.join(fiber)
  if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
  const millis = Number(clock.monotonicTimeNanosUnsafe() - startNanos) / 1e6
  return (share: number): Effect.Effect<void> =>
    isVirtual ? Effect.sleep(millis * share) : turns(Math.floor(taken * share))
})

/**
 * Runs something again and again, each time interrupted one turn later, until it ends by itself. One that takes more than `maxSteps` turns then runs once
 * to its end, and is interrupted `spreadSteps` times more, evenly spread over as long as that took; one that never ends is a failure. `after` looks at what
 * each run left behind; it gets the step and whether the run was whole. `next` leaves steps out where each is dear: the step that follows one. Gives the
 * last step.
 */
export const atEachStep = Effect.fnUntraced(function*<A, E, R, E2, R2>(
  run: Effect.Effect<A, E, R>,
  after: (step: number, isWhole: boolean) => Effect.Effect<void, E2, R2>,
  next: (step: number) => number = (step) => step + 1
) {
  const { maxSteps, spreadSteps } = conformanceLimits
  let step = 0
  for (; step <= maxSteps; step = next(step)) {
    const isWhole = yield* endsWithin(run, turns(step))
    yield* after(step, isWhole)
    if (isWhole) return step
  }
  const wait = yield* runWhole(run)
  yield* after(step, true)
  for (let part = 1; part <= spreadSteps; part++) {
    yield* after(++step, yield* endsWithin(run, wait(part / (spreadSteps + 1))))
  }
  return step
})
