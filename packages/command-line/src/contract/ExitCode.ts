/** What the process tells its caller, and errors that carry it. */
import * as Schema from "effect/Schema"

/** Exit codes of all commands of all programs. */
export const ExitCode = {
  /** Done and verified. */
  done: 0,
  /** Done, and the answer is no: differs, gaps, unverified. */
  no: 1,
  /** Wrong usage, configuration or input. */
  usage: 2,
  /** Peers: deadline, level or quorum not reached. */
  peers: 3,
  /** Local: disk, permission, existing output. */
  local: 4,
  /** A defect of this program. */
  defect: 5,
  /** SIGINT. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** The end of a command that could not do its work: what failed, what to do, and the exit code (2, 3 or 4 mostly). */
export class CommandError extends Schema.TaggedError<CommandError>()("CommandError", {
  exitCode: Schema.Literals([1, 2, 3, 4, 5, 130, 143]),
  message: Schema.String,
  remedy: Schema.String
}) {}
