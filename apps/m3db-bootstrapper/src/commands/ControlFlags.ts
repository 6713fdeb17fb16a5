/** How `status`, `why` and `set-level` find a running process, and what they say when there is none. */
import {
  type CheckContext,
  CommandError,
  derived,
  ExitCode,
  optional,
  type Problem,
  type Settings,
  Type,
  withDefault
} from "@peerstrap/command-line"
import { type ControlError, type ControlSocketError, request } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"

export const controlFlags = {
  out: optional(Type.path("DIR", "/var/lib/m3db"), "The --out of the run."),
  control: derived(Type.path("PATH", "/run/peerstrap.sock"), "control.sock in --out", "The run's control socket."),
  timeout: withDefault(Type.millis("5s"), "5s", "How long to wait for the answer.")
} as const

export type ControlSettings = Settings<typeof controlFlags>

/** The path of the socket. One of the two flags must say where it is. */
export const planControl = (
  settings: Partial<ControlSettings>,
  _operands: ReadonlyArray<string>,
  _context: CheckContext,
  problem: (problem: Problem) => void
): string => {
  const { control, out } = settings
  if (control !== undefined) return resolve(control)
  if (out !== undefined) return resolve(out, "control.sock")
  if ("out" in settings && "control" in settings) {
    problem({
      where: "--out",
      message: "is missing: give the run's directory, e.g. --out /var/lib/m3db, or its socket with --control"
    })
  }
  return ""
}

/** Whether there simply is no such process. */
export const isAbsent = (error: ControlError | ControlSocketError): boolean =>
  error._tag === "ControlSocketError" && (error.reason === "not-running" || error.reason === "refused")

const codeOf = (error: ControlError | ControlSocketError): CommandError["exitCode"] =>
  error._tag === "ControlError"
    ? error.code === "unknown-level" ? ExitCode.usage : ExitCode.no
    : isAbsent(error)
    ? ExitCode.no
    : error.reason === "path-too-long" || error.reason === "not-a-socket"
    ? ExitCode.usage
    : ExitCode.local

export const toCommandError = (error: ControlError | ControlSocketError): CommandError =>
  new CommandError({
    exitCode: codeOf(error),
    message: error.message,
    remedy: isAbsent(error) ? "give the --out or --control of a bootstrap that runs" : ""
  })

export const ask = (path: string, name: string, args: Readonly<Record<string, unknown>>, timeoutMillis: number) =>
  request(path, name, args, timeoutMillis).pipe(
    Effect.map((answer) => answer as Readonly<Record<string, unknown>>)
  )
