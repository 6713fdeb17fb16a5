/** Time as checks measure it: turns of the scheduler, not milliseconds. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { conformanceLimits } from "../contract/ConformanceLimits.ts"

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

/**
 * Runs something again and again, each time interrupted one turn later, until it ends by itself, or would be interrupted after more than `maxSteps` turns.
 * `after` looks at what each interruption left behind; it gets the turns that went before, and whether the run was whole. `next` leaves steps out where each
 * is dear: the step that follows one.
 */
export const atEachStep = Effect.fnUntraced(function*<A, E, R, E2, R2>(
  run: Effect.Effect<A, E, R>,
  after: (step: number, isWhole: boolean) => Effect.Effect<void, E2, R2>,
  next: (step: number) => number = (step) => step + 1
) {
  for (let step = 0; step <= conformanceLimits.maxSteps; step = next(step)) {
    const fiber = yield* Effect.forkChild(Effect.exit(run))
    yield* turns(step)
    const isWhole = isDone(fiber)
    if (!isWhole) yield* Fiber.interrupt(fiber)
    const exit = isWhole ? yield* Fiber.join(fiber) : undefined
    if (exit !== undefined && Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
    yield* after(step, isWhole)
    if (isWhole) return step
  }
  return conformanceLimits.maxSteps
})
