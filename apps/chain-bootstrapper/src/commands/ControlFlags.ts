/** How `status`, `why` and `peers` find a running process, and what they say when there is none. */
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
  store: optional(Type.path("DIR", "/var/lib/tezos-store"), "The --store of the run."),
  control: derived(
    Type.path("PATH", "/run/peerstrap-chain.sock"),
    "control.sock in --store",
    "The run's control socket."
  ),
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
  const { control, store } = settings
  if (control !== undefined) return resolve(control)
  if (store !== undefined) return resolve(store, "control.sock")
  if ("store" in settings && "control" in settings) {
    problem({
      where: "--store",
      message: "is missing: give the run's store, e.g. --store /var/lib/tezos-store, or its socket with --control"
    })
  }
  return ""
}

/** Whether there simply is no such process. */
export const isAbsent = (error: ControlError | ControlSocketError): boolean =>
  error._tag === "ControlSocketError" && (error.reason === "not-running" || error.reason === "refused")

const codeOf = (error: ControlError | ControlSocketError): CommandError["exitCode"] =>
  error._tag === "ControlError" || isAbsent(error)
    ? ExitCode.no
    : error.reason === "path-too-long" || error.reason === "not-a-socket"
    ? ExitCode.usage
    : ExitCode.local

export const toCommandError = (error: ControlError | ControlSocketError): CommandError =>
  new CommandError({
    exitCode: codeOf(error),
    message: error.message,
    remedy: isAbsent(error) ? "give the --store or --control of a sync or serve that runs" : ""
  })

export const ask = (path: string, name: string, args: Readonly<Record<string, unknown>>, timeoutMillis: number) =>
  request(path, name, args, timeoutMillis).pipe(
    Effect.map((answer) => answer as Readonly<Record<string, unknown>>)
  )
