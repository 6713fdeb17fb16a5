/** Runs the contract's checks over a layer: registered with a test runner, or one by one to see which a mutant fails. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Transport } from "../contract/Transport.ts"
import { isDone, turns } from "./Probes.ts"
import { type TransportCheck, transportChecks } from "./TransportChecks.ts"

/** How a test runner is told of a test: `it` of vitest, `test` of node:test, and others. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown

/** One check as an Effect that needs nothing more. */
export const runCheck = <E>(check: TransportCheck, layer: Layer.Layer<Transport, E>): Effect.Effect<void, unknown> =>
  Effect.scoped(check.run as Effect.Effect<void, unknown, Transport | Scope.Scope>).pipe(Effect.provide(layer))

/**
 * Registers every check of `Transport`'s contract for a layer. Each check builds the layer anew.
 *
 * `transportSuite("Memory", Memory.layer, it)`
 */
export const transportSuite = <E>(name: string, layer: Layer.Layer<Transport, E>, register: RegisterTest): void => {
  for (const check of transportChecks) {
    register(`${name} ${check.name}`, () => Effect.runPromise(runCheck(check, layer)))
  }
}

/** How a check ended; `hung` when it would never end. */
export type CheckOutcome = "passed" | "failed" | "hung"

/**
 * Runs one check for at most `patienceTurns` turns of the scheduler, so that a transport that never answers is found out
 * without waiting for time to pass. For transports within the process only.
 */
export const judge = Effect.fnUntraced(function*<E>(
  check: TransportCheck,
  layer: Layer.Layer<Transport, E>,
  patienceTurns = 20_000
) {
  const fiber = yield* Effect.forkChild(Effect.exit(runCheck(check, layer)))
  for (let turn = 0; turn < patienceTurns && !isDone(fiber); turn += 20) yield* turns(20)
  if (!isDone(fiber)) {
    fiber.interruptUnsafe()
    return "hung" satisfies CheckOutcome as CheckOutcome
  }
  const exit = yield* Fiber.join(fiber)
  return (Exit.isSuccess(exit) ? "passed" : "failed") as CheckOutcome
})
