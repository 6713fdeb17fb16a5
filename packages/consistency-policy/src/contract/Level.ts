/** The six consistency levels of M3DB, by their names in M3's key-value store. (specs: peer streaming 3.13) */
import * as Schema from "effect/Schema"

/** All levels, from the weakest to the strongest. */
export const levels = ["none", "one", "unstrict_majority", "majority", "unstrict_all", "all"] as const

/** One of the six levels, by its name. */
export const Level = Schema.Literals(levels)

/** One of the six levels, by its name. */
export type Level = (typeof levels)[number]

/** What was given is none of the six words. `message` says what was read and lists them. */
export class UnknownLevelError extends Schema.TaggedError<UnknownLevelError>()("UnknownLevelError", {
  given: Schema.String,
  message: Schema.String
}) {}
