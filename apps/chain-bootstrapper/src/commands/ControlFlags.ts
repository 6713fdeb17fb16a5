/** How `status`, `why` and `peers` find a running process, and what they say when there is none. */
import { controlFailure, controlFlagsOf, planControlOf } from "@peerstrap/command-line"
import { settingsUsageCodes } from "@peerstrap/plugin-host"

const place = {
  flag: "store",
  what: "store",
  directory: "/var/lib/tezos-store",
  socket: "/run/peerstrap-chain.sock"
} as const

export const controlFlags = controlFlagsOf(place)

export const planControl = planControlOf(place)

/** What the process answered, or why it did not, as the end of a command. */
export const toCommandError = controlFailure({
  remedy: "give the --store or --control of a sync or serve that runs",
  usageCodes: settingsUsageCodes
})
