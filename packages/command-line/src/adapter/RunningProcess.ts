/** Asks a running process over its control socket, and says in exit codes what came of it. */
import { type ControlError, type ControlSocketError, request } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import { CommandError, ExitCode } from "../contract/ExitCode.ts"

/** Whether there simply is no such process. */
export const isAbsent = (error: ControlError | ControlSocketError): boolean =>
  error._tag === "ControlSocketError" && (error.reason === "not-running" || error.reason === "refused")

/** An answer is an object of the command's own. */
export const askRunning = (
  path: string,
  name: string,
  args: Readonly<Record<string, unknown>>,
  timeoutMillis: number
): Effect.Effect<Readonly<Record<string, unknown>>, ControlError | ControlSocketError> =>
  request(path, name, args, timeoutMillis).pipe(
    Effect.map((answer) => answer as Readonly<Record<string, unknown>>)
  )

/** What a failure to reach the process means to a person. */
export interface ControlFailure {
  /** What to do when no such process runs. */
  readonly remedy: string
  /** Codes of the process's own refusals that mean wrong usage; all others mean no. */
  readonly usageCodes?: ReadonlyArray<string>
}

/** Exit code 1: no such process, or it says no; 2: wrong usage; 4: this machine. */
export const controlFailure =
  ({ remedy, usageCodes = [] }: ControlFailure) => (error: ControlError | ControlSocketError): CommandError => {
    const exitCode = error._tag === "ControlError"
      ? usageCodes.includes(error.code) ? ExitCode.usage : ExitCode.no
      : isAbsent(error)
      ? ExitCode.no
      : error.reason === "path-too-long" || error.reason === "not-a-socket"
      ? ExitCode.usage
      : ExitCode.local
    return new CommandError({ exitCode, message: error.message, remedy: isAbsent(error) ? remedy : "" })
  }
