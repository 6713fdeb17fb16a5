/** What is said of a network that serves: a line of JSON, or text for a person. Pure. */
import type { NetworkFile } from "@peerstrap/tezos-bootstrap"
import { hashText, type TestChain } from "@peerstrap/tezos-wire/testing"
import type { ChainNetwork } from "./ChainNetwork.ts"
import { headText } from "./ChainSpec.ts"
import { commandList } from "./NetworkCommands.ts"
import { type NetworkPlan, peerSetText } from "./PeerPlan.ts"

export interface ServedNetwork {
  readonly plan: NetworkPlan
  readonly network: ChainNetwork
  readonly chain: TestChain
  readonly file: NetworkFile
  readonly path: string
}

/** The line that says that a network serves. */
export const networkLine = ({ chain, file, network, path }: ServedNetwork) => ({
  network: path,
  chainName: file.chainName,
  chainId: file.chainId,
  branches: chain.branchNames.map((name) => {
    const { base, forkLevel } = chain.branch(name)!
    const head = chain.head(name)
    return { name, parent: base?.name ?? null, above: forkLevel, level: head.level, hash: hashText(head) }
  }),
  processes: network.processes.map(({ peers, pid }) => ({ pid, peers })),
  peers: network.peers.map(({ address, id, peerId, pid, plan }) => ({
    id,
    address,
    peerId,
    pid,
    head: headText(plan.head),
    behaviours: plan.behaviours
  }))
})

/** Peers that do the same, together. */
const groups = ({ network }: ServedNetwork): ReadonlyArray<string> => {
  const same = Map.groupBy(network.peers, ({ plan }) => `${headText(plan.head)} ${plan.behaviours}`)
  return [...same.values()].map((peers) => {
    const { behaviours, head } = peers[0]!.plan
    return `  ${peerSetText(peers.map(({ id }) => id))}  head ${headText(head)}${
      behaviours === "" ? "" : `, ${behaviours}`
    }`
  })
}

export const networkText = (served: ServedNetwork): string => {
  const { chain, file, network, path, plan } = served
  const forks = plan.spec.forks.map(({ at, length, name, parent }) =>
    `, fork ${name}: ${length} blocks above level ${at}${parent === undefined ? "" : ` of ${parent}`}`
  )
  return [
    `${network.peers.length} peers serve ${file.chainName}: ${chain.head().level} levels${forks.join("")}`,
    ...network.processes.map(({ peers, pid }) => `  process ${pid}: peers ${peers}`),
    ...groups(served),
    `network file: ${path}`,
    "Sync from them:",
    `  npx peerstrap-chain sync --network ${path} --store DIR`,
    "Commands, a line each (PEERS: all, 3 or 1,4-6):",
    commandList().trimEnd(),
    "Stop them: Ctrl-C",
    ""
  ].join("\n")
}
