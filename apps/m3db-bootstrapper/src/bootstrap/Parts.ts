/**
 * What a bootstrap is made of, as a list of parts. Flags make the default ones; `plugins:` in the config file, or code, puts others in
 * their place.
 *
 *   transport ◄── m3db.peers     files ◄── m3db.sink     consistency   selection   rate   memory   m3db.merge   log
 */
import { formatNanosDuration, type FoundSettings, type Problem } from "@peerstrap/command-line"
import { consistencyKind, consistencyPlugins, settableLevel, watchedLevel } from "@peerstrap/consistency-policy/plugin"
import {
  discardSink,
  highestPeerPlugin,
  mergeKind,
  mergePlugins,
  mostReplicasPlugin,
  peersKind,
  sinkKind,
  tchannelPeers
} from "@peerstrap/m3db-bootstrap/plugin"
import { filesetSink } from "@peerstrap/m3db-files/plugin"
import {
  leastLoadedPlugin,
  peerRateKind,
  ratePlugins,
  selectionKind,
  selectionPlugins,
  settableRate,
  throughputWeightedPlugin
} from "@peerstrap/peer-selection/plugin"
import {
  type AnyKind,
  type AnyPlugin,
  compose,
  type Composition,
  logKind,
  partsOfFlags,
  type PlacedPart,
  type RunningHost
} from "@peerstrap/plugin-host"
import { settableLog } from "@peerstrap/plugin-host/plugin"
import { filesKind, filesPlugins, journalPlugins, keyValuePlugins, nodeFiles } from "@peerstrap/storage/plugin"
import { boundedMemory, memoryKind, tcp, transportPlugins } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import type { bootstrapFlags, BootstrapSettings } from "./BootstrapFlags.ts"
import type { BootstrapPlan, PlannedPeer } from "./BootstrapPlan.ts"

/** What may be named in a config without `from`; journals and key-value stores are for parts from outside that require them. */
export const registry: ReadonlyArray<AnyPlugin> = [
  ...transportPlugins,
  ...filesPlugins,
  ...journalPlugins,
  ...keyValuePlugins,
  ...consistencyPlugins,
  ...selectionPlugins,
  ...ratePlugins,
  tchannelPeers,
  ...mergePlugins,
  filesetSink,
  discardSink,
  settableLog
]

/** What a run itself uses. */
export const needs = [
  consistencyKind,
  selectionKind,
  peerRateKind,
  peersKind,
  mergeKind,
  sinkKind,
  memoryKind,
  filesKind,
  logKind
] as const

/** The parts that flags name. */
export const partsOf = (plan: BootstrapPlan, settings: BootstrapSettings) =>
  compose(
    tcp({}),
    nodeFiles({}),
    boundedMemory({ bytes: settings.memory }),
    level(settings),
    peers(plan.peers, settings),
    ranking(settings),
    settableRate({ bytesPerSecond: settings.peerBytesPerSecond ?? 0 }),
    mergeRule(settings),
    filesets(plan, settings),
    settableLog({ level: settings.logLevel })
  )

export type BootstrapParts = ReturnType<typeof partsOf>

/** Those parts while they run. */
export type BootstrapHost = BootstrapParts extends Composition<infer Provided> ? RunningHost<Provided> : never

/** Parts of a run that provide some kinds, and those that these require: for commands that use a part of it. */
export const partsProviding = <Provided>(
  { parts }: Composition<Provided>,
  kinds: ReadonlyArray<AnyKind>
): Composition<Provided> => {
  const used = new Set(kinds.map(({ id }) => id))
  const isUsed = ({ plugin }: PlacedPart): boolean => plugin.provides.some(({ id }) => used.has(id))
  for (let before = -1; before !== used.size;) {
    before = used.size
    for (const { plugin } of parts.filter(isUsed)) for (const { id } of plugin.requires) used.add(id)
  }
  return { parts: parts.filter(isUsed) }
}

/** What `--resume` and `--overwrite` are about only filesets have. */
const aboutFilesets = (parts: BootstrapParts, settings: Partial<BootstrapSettings>): ReadonlyArray<Problem> => {
  const sink = parts.parts.find(({ plugin }) => plugin.provides.some(({ id }) => id === sinkKind.id))?.plugin.id
  if (sink === filesetSink.id) return []
  return (["resume", "overwrite"] as const).filter((flag) => settings[flag] === true).map((flag) => ({
    where: `--${flag}`,
    message: `is about filesets, and blocks go to ${sink}: leave it out`
  }))
}

/** The parts that flags name, with those that the config file puts in their place; or all that is wrong with these. */
export const resolveParts = Effect.fnUntraced(
  function*({ file, plan, settings }: FoundSettings<typeof bootstrapFlags, BootstrapPlan | undefined>) {
    // Without problems, which is when there is a plan, settings are complete.
    const defaults = plan === undefined ? undefined : partsOf(plan, settings as BootstrapSettings)
    const parts = yield* partsOfFlags({ registry, needs, file, defaults })
    const problems = plan === undefined ? [] : aboutFilesets(parts, settings)
    return problems.length === 0 ? parts : yield* Effect.fail(problems)
  }
)

const level = ({ level, levelFile }: BootstrapSettings) =>
  levelFile === undefined ? settableLevel({ level }) : watchedLevel({ path: levelFile, otherwise: level })

const named = ({ address, id }: PlannedPeer) => ({ id, ...address })

const peers = ([first, ...others]: ReadonlyArray<PlannedPeer>, settings: BootstrapSettings) =>
  tchannelPeers({
    peers: [named(first!), ...others.map(named)],
    connections: settings.connectionsPerPeer,
    idleTimeout: `${settings.idleTimeout}ms`,
    callTimeout: `${settings.callTimeout}ms`
  })

const ranking = ({ ranking }: BootstrapSettings) =>
  ranking === "least-loaded" ? leastLoadedPlugin({}) : throughputWeightedPlugin({})

const mergeRule = ({ mergeRule }: BootstrapSettings) =>
  mergeRule === "most-replicas" ? mostReplicasPlugin({}) : highestPeerPlugin({})

const filesets = (plan: BootstrapPlan, { blockSize, namespace, overwrite, resume }: BootstrapSettings) =>
  filesetSink({
    out: plan.outPath,
    namespace,
    blockSize: formatNanosDuration(blockSize),
    // With --resume whole blocks are no jobs: what is still there is damaged.
    overwrite: overwrite || resume
  })
