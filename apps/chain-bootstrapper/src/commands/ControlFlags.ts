/** How `status`, `why` and `peers` find a running process, and what they say when there is none. */
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

/** What the process answered, or why it did not, as the end of a command. */
export const toCommandError = controlFailure({
  remedy: "give the --store or --control of a sync or serve that runs"
})
