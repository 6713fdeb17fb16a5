/** What a sync will do, said before it begins. */
import type { BlockRef, SyncOptions } from "@peerstrap/chain-bootstrap"
import { type Reporter } from "@peerstrap/command-line"
import { formatBytes, formatCount } from "@peerstrap/progress"
import type { Network } from "@peerstrap/tezos-bootstrap"
import { refJson, refText } from "../BlockNames.ts"
import { isPublic } from "../network/NetworkOfRun.ts"
import type { PartNames } from "./Parts.ts"
import type { StartPeers } from "./StartPeers.ts"
import type { SyncPlan } from "./SyncPlan.ts"

export interface Announced {
  readonly plan: SyncPlan
  readonly network: Network
  readonly peers: StartPeers
  readonly options: SyncOptions
  readonly base: BlockRef
  readonly head: BlockRef
  readonly peerId: string
  readonly names: PartNames
  readonly strategy: string
  readonly memoryBytes: number
}

/** What a new store of a public network that begins at genesis comes to. */
export const genesisWarning = (network: Network): string =>
  `${network.chainName} from genesis: nearly all nodes of a public network are rolling and keep about two days of blocks, so they cannot serve ` +
  "what comes after genesis, and this run will wait for full or archive nodes.\n" +
  "  what to do: begin at a recent block that you trust, with --base HASH (e.g. of a snapshot, of a node of your own, or compared between several " +
  "block explorers; not older than about two days), or name full or archive nodes with --peer"

const untilText = ({ until }: SyncOptions): string =>
  until === undefined
    ? "follows the chain until it is stopped"
    : until === "synced"
    ? "until synced"
    : `until level ${formatCount(until.level)}`

const quorumText = ({ connections, minQuorumPeers }: SyncOptions): string =>
  `a block needs the support of more than two thirds of the peers that count, at least ${minQuorumPeers}; ` +
  `begins with ${connections.minPeers} connections, at most ${connections.maxPeers}`

/** Things that will keep the run from its end, as far as they can be seen now. */
export const foreseenProblems = (
  { base, head, network, options, peers }: Pick<Announced, "base" | "head" | "network" | "options" | "peers">
): ReadonlyArray<string> => {
  const { addresses, unresolved } = peers.facts
  const warnings = peers.problems.map((problem) => `peer ${problem}`)
  if (!unresolved && !peers.othersKnown && addresses < options.minQuorumPeers) {
    warnings.push(
      `${addresses} peer ${
        addresses === 1 ? "address is" : "addresses are"
      } known, a quorum needs ${options.minQuorumPeers}: unless others turn up ` +
        "nothing will be applied; name more with --peer, or lower --min-quorum-peers"
    )
  }
  if (base.level === 0 && head.level === 0 && isPublic(network)) warnings.push(genesisWarning(network))
  return warnings
}

export const announcePlan = (announced: Announced, reporter: Reporter): void => {
  const { base, head, memoryBytes, names, network, options, peerId, peers, plan, strategy } = announced
  reporter.event("plan", {
    network: network.name,
    chainName: network.chainName,
    chainId: network.chainId,
    base: refJson(base),
    head: refJson(head),
    peerId,
    named: peers.named,
    addresses: peers.facts.addresses,
    applier: names.applier,
    store: names.store,
    parts: names.parts,
    control: plan.controlPath,
    options: { ...options, strategy, until: options.until ?? null }
  })
  reporter.say([
    `${network.chainName} (${network.chainId}), base ${refText(base)}`,
    ...(head.level === base.level ? [] : [`goes on from ${refText(head)}`]),
    `${options.mode} mode, ${untilText(options)}; applier ${names.applier}`,
    quorumText(options),
    `${formatCount(peers.facts.addresses)} peer addresses known; we are ${peerId}`,
    `memory ${formatBytes(memoryBytes)}; store ${names.store}, control socket ${plan.controlPath}`
  ].join("\n"))
}
