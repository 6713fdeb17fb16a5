/** What is wrong with a placement, a namespace registry or a flag: all problems at once, as a value. */
import * as Schema from "effect/Schema"
import { Limits } from "./Limits.ts"

/** What sort of mistake it is. */
export const TopologyErrorReason = Schema.Literals(["too-large", "malformed", "invalid", "usage"])
/** What sort of mistake it is. */
export type TopologyErrorReason = typeof TopologyErrorReason.Type

/**
 * Each problem says what, where (byte offset, instance, shard) and what to do. `too-large` is over a limit, `malformed` cannot be
 * decoded, `invalid` breaks a rule of placements, `usage` is a wrong flag. Codecs and engines return it; effects fail with it.
 */
export class TopologyError extends Schema.TaggedError<TopologyError>()("TopologyError", {
  reason: TopologyErrorReason,
  /** What was read: "placement", "namespaces", "--peer", "shards". */
  subject: Schema.String,
  problems: Schema.Array(Schema.String),
  message: Schema.String
}) {}

/** Builds the error; more than `Limits.problems` problems are counted, not listed. */
export const topologyError = (
  reason: TopologyErrorReason,
  subject: string,
  problems: ReadonlyArray<string>
): TopologyError => {
  const listed = problems.slice(0, Limits.problems)
  if (problems.length > listed.length) listed.push(`and ${problems.length - listed.length} more`)
  const message = listed.length === 1
    ? `${subject}: ${listed[0]}`
    : `${subject}: ${problems.length} problems\n${listed.map((each) => `  - ${each}`).join("\n")}`
  return new TopologyError({ reason, subject, problems: listed, message })
}

/** Tells an error from a value. */
export const isTopologyError = (value: unknown): value is TopologyError => value instanceof TopologyError
