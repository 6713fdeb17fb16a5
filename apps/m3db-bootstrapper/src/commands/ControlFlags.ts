/** How `status`, `why` and `set-level` find a running process, and what they say when there is none. */
import {
  type CheckContext,
  controlFailure,
  derived,
  optional,
  type Problem,
  type Settings,
  Type,
  withDefault
} from "@peerstrap/command-line"
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

/** What the process answered, or why it did not, as the end of a command. */
export const toCommandError = controlFailure({
  remedy: "give the --out or --control of a bootstrap that runs",
  usageCodes: ["unknown-level"]
})
