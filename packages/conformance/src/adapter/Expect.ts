/** What checks say: comparisons that fail with what was seen and what was expected. */
import * as Effect from "effect/Effect"
import { CheckFailed } from "../contract/CheckFailed.ts"
import { plainText, plainTexts } from "../engine/PlainText.ts"

/** Fails a check with a message. */
export const fail = (message: string): Effect.Effect<never, CheckFailed> => Effect.fail(new CheckFailed({ message }))

/**
 * `what` names the value: `bytes received`. Same is what has the same `plainText`: of the same kind all the way down, bytes of whatever class; what shows
 * nothing of itself, such as a function, only as the very same.
 */
export const expectSame = (what: string, seen: unknown, expected: unknown): Effect.Effect<void, CheckFailed> => {
  const [saw, wanted] = plainTexts(seen, expected)
  return saw === wanted ? Effect.void : fail(`${what}: saw ${saw}, expected ${wanted}`)
}

/** `claim` is what must be so: `the second dial is refused`. */
export const expectTrue = (claim: string, holds: boolean): Effect.Effect<void, CheckFailed> =>
  holds ? Effect.void : fail(`not so: ${claim}`)

/** The error of an effect that must fail; `matches` says whether it is the right one. */
export const expectFailure = <A, E, R>(
  what: string,
  effect: Effect.Effect<A, E, R>,
  matches: (error: E) => boolean = () => true
): Effect.Effect<E, CheckFailed, R> =>
  Effect.matchEffect(effect, {
    onSuccess: () => fail(`${what}: succeeded, expected it to fail`),
    onFailure: (error) => matches(error) ? Effect.succeed(error) : fail(`${what}: failed with ${plainText(error)}`)
  })

/** What stands in the place of something that an implementation has no way to show: dies when it is asked for all the same. */
export const lacking = (capability: string): Effect.Effect<never> =>
  Effect.die(new TypeError(`declared as able to do "${capability}", but this place has no way to do it`))
