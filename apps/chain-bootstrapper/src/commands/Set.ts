/** `set`: what can change while a sync or serve goes on, and changing it. */
import { setCommand } from "@peerstrap/plugin-host"
import { controlFlags, planControl, toCommandError } from "./ControlFlags.ts"

export const set = setCommand({
  flags: controlFlags,
  plan: planControl,
  timeoutMillis: ({ timeout }) => timeout,
  toError: toCommandError,
  place: "--store /var/lib/tezos-store"
})
