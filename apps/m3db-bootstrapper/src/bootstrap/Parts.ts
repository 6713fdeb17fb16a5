/**
 * What a bootstrap is made of, as a list of parts. Flags make the default ones; `plugins:` in the config file, or code, puts others in
 * their place.
 *
 *   transport ◄── m3db.peers     files ◄── m3db.sink     consistency   selection   rate   memory   m3db.merge   log
 */
import { formatNanosDuration, type FoundSettings } from "@peerstrap/command-line"
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
  chooses,
  compose,
  type Composition,
  feeds,
  type FlagTargets,
  logKind,
  partsOfFlags,
  type PlacedPart,
  type RunningHost
} from "@peerstrap/plugin-host"
import { settableLog } from "@peerstrap/plugin-host/plugin"
import { filesKind, filesPlugins, journalPlugins, keyValuePlugins, nodeFiles } from "@peerstrap/storage/plugin"
import { boundedMemory, memoryKind, tcp, transportPlugins } from "@peerstrap/transport/plugin"
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

const rankings = { "least-loaded": leastLoadedPlugin, "throughput-weighted": throughputWeightedPlugin }
const mergeRules = { "most-replicas": mostReplicasPlugin, "highest-peer": highestPeerPlugin }

/**
 * Which flag is heard by which part, of those flags that nobody else hears. Where the config file has another part, or gives the same key, such
 * a flag would do nothing, and is refused. A test compares this with `partsOf`.
 */
export const flagTargets = {
  memory: [feeds(boundedMemory, "bytes")],
  level: [feeds(settableLevel, "level"), feeds(watchedLevel, "otherwise")],
  levelFile: [feeds(watchedLevel, "path")],
  connectionsPerPeer: [feeds(tchannelPeers, "connections")],
  idleTimeout: [feeds(tchannelPeers, "idleTimeout")],
  callTimeout: [feeds(tchannelPeers, "callTimeout")],
  ranking: chooses(rankings),
  peerBytesPerSecond: [feeds(settableRate, "bytesPerSecond")],
  mergeRule: chooses(mergeRules),
  resume: [feeds(filesetSink, "overwrite")],
  overwrite: [feeds(filesetSink, "overwrite")],
  logLevel: [feeds(settableLog, "level")]
} as const satisfies FlagTargets<BootstrapSettings>

/** The parts that flags name. */
export const partsOf = (plan: BootstrapPlan, settings: BootstrapSettings) =>
  compose(
    tcp({}),
    nodeFiles({}),
    boundedMemory({ bytes: settings.memory }),
    level(settings),
    peers(plan.peers, settings),
    rankings[settings.ranking]({}),
    settableRate({ bytesPerSecond: settings.peerBytesPerSecond ?? 0 }),
    mergeRules[settings.mergeRule]({}),
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

/** The parts that flags name, with those that the config file puts in their place; or all that is wrong with these. */
export const resolveParts = (found: FoundSettings<typeof bootstrapFlags, BootstrapPlan | undefined>) =>
  partsOfFlags({
    registry,
    needs,
    found,
    // Without problems, which is when there is a plan, settings are complete.
    defaults: found.plan === undefined ? undefined : partsOf(found.plan, found.settings as BootstrapSettings),
    targets: flagTargets
  })

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

const filesets = (plan: BootstrapPlan, { blockSize, namespace, overwrite, resume }: BootstrapSettings) =>
  filesetSink({
    out: plan.outPath,
    namespace,
    blockSize: formatNanosDuration(blockSize),
    // With --resume whole blocks are no jobs: what is still there is damaged.
    overwrite: overwrite || resume
  })
