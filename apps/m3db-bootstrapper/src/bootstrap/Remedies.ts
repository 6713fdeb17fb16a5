/** Makes commands, ready to be pasted, of what would end a wait: the run knows where it is reached and which of its parts can change. */
import { consistencyKind } from "@peerstrap/consistency-policy/plugin"
import { peerRateKind, settableRate } from "@peerstrap/peer-selection/plugin"
import type { AnyKind, RunningHost } from "@peerstrap/plugin-host"
import { shellWord, type Wait, type WaitChange } from "@peerstrap/progress"
import { boundedMemory, memoryKind } from "@peerstrap/transport/plugin"
import type { BootstrapPlan } from "./BootstrapPlan.ts"

/** Where a run is reached. */
export type RunPlace = Pick<BootstrapPlan, "outPath" | "controlPath">

interface LiveValue {
  readonly kind: AnyKind
  /** Name of the live setting. */
  readonly setting: string
  /** What gives the same value at the next start, while this plugin is the part. */
  readonly flag?: { readonly name: string; readonly plugin: string }
}

const liveValues: Readonly<Record<WaitChange["setting"], LiveValue>> = {
  "level": { kind: consistencyKind, setting: "level" },
  "memory": { kind: memoryKind, setting: "bytes", flag: { name: "--memory", plugin: boundedMemory.id } },
  "peer-rate": {
    kind: peerRateKind,
    setting: "bytes-per-second",
    flag: { name: "--peer-bytes-per-second", plugin: settableRate.id }
  }
}

/** The flag by which other commands find the run. */
export const placeFlag = ({ controlPath, outPath }: RunPlace): string =>
  controlPath === `${outPath}/control.sock` ? `--out ${shellWord(outPath)}` : `--control ${shellWord(controlPath)}`

type Changeable = Pick<RunningHost<never>, "graph" | "settings">

/** A wait whose remedy ends with the command that does it, or says that this run cannot change so. */
export const withCommand = (wait: Wait, place: RunPlace, host: Changeable | undefined): Wait => {
  const { change, remedy } = wait
  if (change === undefined || host === undefined) return wait
  const { flag, kind, setting } = liveValues[change.setting]
  const node = host.graph.nodes.find(({ plugin }) => plugin.provides.some(({ id }) => id === kind.id))
  const row = host.settings.rows.find((row) => row.plugin === node?.name && row.setting === setting)
  const atStart = flag === undefined || flag.plugin !== node?.plugin.id
    ? ""
    : ` (at the next start ${flag.name} ${change.value})`
  if (row === undefined) {
    return { ...wait, remedy: `${remedy}${atStart}; ${node?.name ?? kind.id} cannot change it now` }
  }
  const words = change.setting === "level" ? ["set-level"] : ["set", row.plugin, setting]
  const command = [...words, change.value].map(shellWord).join(" ")
  return { ...wait, remedy: `${remedy}${atStart}: peerstrap-m3db ${command} ${placeFlag(place)}` }
}
