/**
 * Effect's clock, scheduler and random numbers over our own `Scheduler`, so that unchanged Effect programs run in virtual time:
 * a sleep is an event, a fiber's turn is an event, and the order of fibers that are ready at the same instant is the seed's.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EffectRandom from "effect/Random"
import * as EffectScheduler from "effect/Scheduler"
import type { Random } from "../engine/Random.ts"
import type { Scheduler } from "../engine/Scheduler.ts"

const nanosPerMilli = 1_000_000

/** A `Clock` whose time is the scheduler's, counted from `startMillis` (Unix time, default 0). */
export const simulatedClock = (scheduler: Scheduler, startMillis = 0): Clock.Clock => {
  const millis = () => startMillis + scheduler.now
  const nanos = () => BigInt(Math.round(scheduler.now * nanosPerMilli))
  const wallNanos = () => BigInt(startMillis) * BigInt(nanosPerMilli) + nanos()
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) => {
      const delayMillis = Duration.toMillis(duration)
      if (!(delayMillis > 0)) return Effect.yieldNow
      return Effect.callback<void>((resume) => {
        const wake = scheduler.after(delayMillis, () => resume(Effect.void), { label: "sleep" })
        return Effect.sync(() => wake.cancel())
      })
    }
  }
}

/** Effect's `Scheduler`: each turn of a fiber is one event; those of one dispatcher keep their order. */
export const simulatedFiberScheduler = (scheduler: Scheduler): EffectScheduler.Scheduler => {
  let dispatchers = 0
  return {
    executionMode: "async",
    shouldYield: (fiber) => fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield,
    makeDispatcher: () => {
      const chain = dispatchers++
      return {
        scheduleTask: (task) => void scheduler.after(0, task, { label: "fiber", chain }),
        // Turns come from the event loop of the simulation only: running them now would skip its order.
        flush: () => {}
      }
    }
  }
}

/** The three services together. */
export const simulatedContext = (
  scheduler: Scheduler,
  random: Random,
  startMillis?: number
): Context.Context<never> => {
  const numbers = random.fork("effect")
  return Context.make(Clock.Clock, simulatedClock(scheduler, startMillis)).pipe(
    Context.add(EffectScheduler.Scheduler, simulatedFiberScheduler(scheduler)),
    Context.add(EffectRandom.Random, {
      nextDoubleUnsafe: () => numbers.float(),
      nextIntUnsafe: () => numbers.int(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    })
  ) as Context.Context<never>
}
