/** How `status`, `why` and `set-level` find a running process, and what they say when there is none. */
import { controlFailure, controlFlagsOf, planControlOf } from "@peerstrap/command-line"
import { settingsUsageCodes } from "@peerstrap/plugin-host"

const place = {
  flag: "out",
  what: "directory",
  directory: "/var/lib/m3db",
  socket: "/run/peerstrap.sock"
} as const

export const controlFlags = controlFlagsOf(place)

export const planControl = planControlOf(place)

/** What the process answered, or why it did not, as the end of a command. */
export const toCommandError = controlFailure({
  remedy: "give the --out or --control of a bootstrap that runs",
  usageCodes: ["unknown-level", ...settingsUsageCodes]
})
