/**
 * What a sync is made of, as a list of parts. Flags make the default ones; `plugins:` in the config file, or code, puts others in their place.
 *
 *   files, tezos.crypto, memory ◄─ chain.protocol ◄─ chain.base ◄─ chain.store ◄─ chain.applier ◄─ chain.strategy
 *                            transport ◄───────────────────────┘
 */
import {
  appliedBranchesStrategy,
  applierKind,
  archiveApplier,
  baseKind,
  cachedTailStrategy,
  chainPlugins,
  commandApplier,
  fileStore,
  protocolKind,
  simulatorApplier,
  storeKind,
  strategyKind
} from "@peerstrap/chain-bootstrap/plugin"
import type { FoundSettings } from "@peerstrap/command-line"
import {
  type AnyPlugin,
  chooses,
  compose,
  feeds,
  type FlagTargets,
  type Graph,
  logKind,
  partsOfFlags
} from "@peerstrap/plugin-host"
import { settableLog } from "@peerstrap/plugin-host/plugin"
import { filesPlugins, journalPlugins, keyValuePlugins, nodeFiles } from "@peerstrap/storage/plugin"
import { octezRpcApplier, tezosBase, tezosPlugins, tezosProtocol } from "@peerstrap/tezos-bootstrap/plugin"
import { anyCrypto, cryptoPlugins } from "@peerstrap/tezos-wire/plugin"
import { boundedMemory, memoryKind, tcp, transportKind, transportPlugins } from "@peerstrap/transport/plugin"
import type { syncFlags, SyncSettings } from "./SyncFlags.ts"
import type { SyncPlan } from "./SyncPlan.ts"

/** What may be named in a config without `from`; journals and key-value stores are for parts from outside that require them. */
export const registry: ReadonlyArray<AnyPlugin> = [
  ...transportPlugins,
  ...filesPlugins,
  ...journalPlugins,
  ...keyValuePlugins,
  ...cryptoPlugins,
  ...tezosPlugins,
  ...chainPlugins,
  settableLog
]

/** What a run itself uses. */
export const needs = [
  transportKind,
  memoryKind,
  protocolKind,
  baseKind,
  storeKind,
  applierKind,
  strategyKind,
  logKind
] as const

const strategies = { "cached-tail": cachedTailStrategy, "applied-branches": appliedBranchesStrategy }

/** The flags of sync and serve that only a part which both have hears. */
export const sharedTargets = {
  identity: [feeds(tezosProtocol, "identity")],
  memory: [feeds(boundedMemory, "bytes")],
  logLevel: [feeds(settableLog, "level")]
} as const satisfies FlagTargets<SyncSettings>

/**
 * Which flag is heard by which part, of those flags that nobody else hears. Where the config file has another part, or gives the same key, such
 * a flag would do nothing, and is refused. A test compares this with `partsOf`.
 */
export const flagTargets = {
  ...sharedTargets,
  base: [feeds(tezosBase, "hash")],
  baseTimeout: [feeds(tezosBase, "timeout")],
  applier: chooses({
    archive: archiveApplier,
    command: commandApplier,
    "octez-rpc": octezRpcApplier,
    simulator: simulatorApplier
  }),
  applierCommand: [feeds(commandApplier, "command")],
  octezRpc: [feeds(octezRpcApplier, "url")],
  strategy: chooses(strategies)
} as const satisfies FlagTargets<SyncSettings>

/** The parts that flags name. */
export const partsOf = (plan: SyncPlan, settings: SyncSettings) =>
  compose(
    tcp({}),
    nodeFiles({}),
    anyCrypto({}),
    boundedMemory({ bytes: settings.memory }),
    tezosProtocol({ network: plan.network, identity: plan.identityPath, port: settings.listen?.port ?? 0 }),
    base(settings),
    fileStore({ directory: plan.storePath }),
    applier(settings),
    strategies[settings.strategy]({}),
    settableLog({ level: settings.logLevel })
  )

export type SyncParts = ReturnType<typeof partsOf>

const base = ({ base, baseTimeout, peer }: SyncSettings) =>
  tezosBase({ ...(base === undefined ? {} : { hash: base.text }), peers: peer, timeout: `${baseTimeout}ms` })

const applier = ({ applier, applierCommand, octezRpc }: SyncSettings) => {
  switch (applier) {
    case "archive":
      return archiveApplier({})
    case "command":
      return commandApplier({ command: applierCommand! })
    case "octez-rpc":
      return octezRpcApplier({ url: octezRpc! })
    case "simulator":
      return simulatorApplier({})
  }
}

/** Without problems, which is when there is a plan, settings are complete. */
export const resolveParts = (found: FoundSettings<typeof syncFlags, SyncPlan | undefined>) =>
  partsOfFlags({
    registry,
    needs,
    found,
    defaults: found.plan === undefined ? undefined : partsOf(found.plan, found.settings as SyncSettings),
    targets: flagTargets
  })

/** What a run says of its parts. */
export interface PartNames {
  /** `archive`, `command`, …: the plugin's id without its kind. */
  readonly applier: string
  /** The directory of a store of files, else the plugin's id. */
  readonly store: string
  /** Names of all parts, in the order in which they start. */
  readonly parts: ReadonlyArray<string>
}

export const partNames = ({ nodes, order }: Graph): PartNames => {
  const provider = (kind: string) => nodes.find(({ plugin }) => plugin.provides.some(({ id }) => id === kind))!
  const store = provider(storeKind.id)
  return {
    applier: provider(applierKind.id).plugin.id.slice(applierKind.id.length + 1),
    store: store.plugin.id === fileStore.id ? (store.config as { readonly directory: string }).directory : store.name,
    parts: order.map((at) => nodes[at]!.name)
  }
}
