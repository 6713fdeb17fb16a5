/** A check that did not hold. */
import * as Schema from "effect/Schema"

/** A check did not hold: what was seen, what was expected. */
export class CheckFailed extends Schema.TaggedError<CheckFailed>()("CheckFailed", {
  /** What was seen, and what was expected. */
  message: Schema.String
}) {}
