/** What a decoder answers for bytes that are not what they should be: a value, never an exception that ends a process. */
import * as Schema from "effect/Schema"

/** `offset` counts from the first byte given to the decoder. `message` says what was expected, what was found and the limit, if one was passed. */
export class Malformed extends Schema.TaggedError<Malformed>()("Malformed", {
  /** What was decoded, e.g. `block header`, `CurrentBranch`. */
  what: Schema.String,
  offset: Schema.Finite,
  message: Schema.String
}) {}
