/** What the process tells its caller; the same codes in all programs of the repository. */
import * as Schema from "effect/Schema"

export const ExitCode = {
  /** Done and verified. */
  done: 0,
  /** Done, and the answer is no: differs, gaps, unverified. */
  no: 1,
  /** Wrong usage. */
  usage: 2,
  /** Peers: deadline or level not reached. */
  peers: 3,
  /** Local: disk, permission, a port in use, existing output. */
  local: 4,
  /** A defect of this program. */
  defect: 5,
  /** SIGINT. */
  interrupted: 130,
  /** SIGTERM. */
  terminated: 143
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** A command that could not do its work: what failed, what to do, and the exit code. */
export class LabError extends Schema.TaggedError<LabError>()("LabError", {
  exitCode: Schema.Literals([2, 3, 4, 5]),
  message: Schema.String,
  remedy: Schema.String
}) {}
