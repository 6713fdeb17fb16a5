/** A check that did not hold. */
import * as Schema from "effect/Schema"

export class CheckFailed extends Schema.TaggedError<CheckFailed>()("CheckFailed", {
  /** What was seen, and what was expected. */
  message: Schema.String
}) {}
