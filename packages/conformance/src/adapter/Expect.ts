/** What checks say: comparisons that fail with what was seen and what was expected. */
import * as Effect from "effect/Effect"
import { CheckFailed } from "../contract/CheckFailed.ts"

/** The same value of plain JSON: bytes as hex (also of a `Buffer`), bigints as decimals with an n, maps and sets as lists, keys in order. */
const plain = (value: unknown): unknown => {
  if (typeof value === "bigint") return `${value}n`
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("")
  if (value instanceof Map || value instanceof Set) return [...value].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value ?? null
  return Object.fromEntries(
    Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1).map(([key, inner]) => [key, plain(inner)])
  )
}

/** Text of a value in which equal values are equal: bytes as hex, bigints as decimals, maps and sets as lists, keys in order. */
export const plainText = (value: unknown): string => JSON.stringify(plain(value))

/** Fails a check with a message. */
export const fail = (message: string): Effect.Effect<never, CheckFailed> => Effect.fail(new CheckFailed({ message }))

/** `what` names the value: `bytes received`. */
export const expectSame = (what: string, seen: unknown, expected: unknown): Effect.Effect<void, CheckFailed> =>
  plainText(seen) === plainText(expected)
    ? Effect.void
    : fail(`${what}: saw ${plainText(seen)}, expected ${plainText(expected)}`)

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
