/** What is wrong with a composition. All problems are told in one report, before any I/O. */
import * as Schema from "effect/Schema"

/** What sort of mistake it is. */
export const ProblemKind = Schema.Literals([
  "syntax",
  "unknown-plugin",
  "cannot-load",
  "not-a-plugin",
  "other-copy",
  "host-version",
  "stability",
  "config",
  "missing-key",
  "unknown-key",
  "missing-provider",
  "ambiguous-provider",
  "kind-mismatch",
  "cycle",
  "budget",
  "flag-in-vain"
])
/** What sort of mistake it is. */
export type ProblemKind = typeof ProblemKind.Type

/** One thing that is wrong with a composition, with its place and what to do. */
export const Problem = Schema.Struct({
  kind: ProblemKind,
  /** `config.yaml:4:7`, or the part's place in code: `part 2 (transport.tcp)`. */
  where: Schema.String,
  message: Schema.String,
  /** What to do about it. */
  remedy: Schema.String
})
/** One thing that is wrong with a composition, with its place and what to do. */
export type Problem = typeof Problem.Type

/** A composition that is not started. */
export class CompositionError extends Schema.TaggedError<CompositionError>()("CompositionError", {
  problems: Schema.Array(Problem)
}) {
  override get message(): string {
    const count = this.problems.length
    const lines = this.problems.map(({ message, remedy, where }) =>
      `  ${where}: ${message}${remedy === "" ? "" : `; ${remedy}`}`
    )
    return `${count} ${count === 1 ? "problem" : "problems"}, nothing was started\n${lines.join("\n")}`
  }
}
