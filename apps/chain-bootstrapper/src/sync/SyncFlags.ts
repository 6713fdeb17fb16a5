/** The flags of `sync`: the one source of its command line, config keys, validation and help. */
import { derived, many, optional, required, type Settings, Type, withDefault } from "@peerstrap/command-line"
import { logLevels } from "@peerstrap/plugin-host"
import { blockHash, listenAddress, maxLevel, peerPoint, rpcUrl, until } from "../FlagTypes.ts"

const mib = 2 ** 20

export const networkFlag = derived(
  Type.text("NAME|FILE", "mainnet, shadownet, sandbox or the path of a network file", "mainnet"),
  "the network that the store is of",
  "The network: mainnet, shadownet, sandbox, or a JSON file {chainName, chainId, genesis, proofOfWork, peers, …}. Required for a new store."
)

export const storeFlag = required(Type.path("DIR", "/var/lib/tezos-store"), "The store: made when it is not there.")

export const identityFlag = derived(
  Type.path("FILE", "identity.json"),
  "identity.json in --store",
  "Our identity (mode 600). Made at the first start, which takes seconds to minutes on a public network, and kept."
)

export const controlFlag = derived(
  Type.path("PATH", "/run/peerstrap-chain.sock"),
  "control.sock in --store",
  "The socket on which the run answers status, why and peers."
)

export const memoryFlag = withDefault(
  Type.bytes(64 * mib, 2 ** 40, "512MiB"),
  "512MiB",
  "What all large buffers together may take. Can be changed while the run goes on: set."
)

export const logLevelFlag = withDefault(
  Type.oneOf(logLevels, "debug"),
  "info",
  "From which level on what libraries log is told. Can be changed while the run goes on: set."
)

export const listenFlag = optional(
  listenAddress,
  "Accepts connections there and answers from the store. Without it the run only dials, and answers those whom it dialled."
)

const peerFlags = {
  peer: many(
    peerPoint,
    "A peer to dial; a name stands for all its addresses. Such peers are always kept and count whatever their network. " +
      "The network's own peers are dialled as well."
  ),
  minPeers: derived(
    Type.integer(1, 1000, 10),
    "10, or the number of known addresses if that is less",
    "Fewest connections: with fewer no new work begins."
  ),
  maxPeers: withDefault(Type.integer(1, 1000, 50), "50", "Most connections, those being opened included."),
  minQuorumPeers: withDefault(
    Type.integer(1, 1000, 3),
    "3",
    "Fewest peers that must support a block, beside being more than two thirds of all."
  ),
  maxPerNetwork: withDefault(
    Type.integer(1, 1000, 2),
    "2",
    "Peers of one /16 (IPv6: /32) that count. Loopback, private ranges and every --peer are exempt."
  ),
  maxKnownPeers: withDefault(Type.integer(10, 10_000, 400), "400", "Addresses that are remembered."),
  reconnects: withDefault(Type.integer(0, 1000, 5), "5", "New attempts at a lost peer in --reconnect-window."),
  reconnectWindow: withDefault(Type.millis("24h"), "24h", "After it the attempts count from zero."),
  greylist: withDefault(Type.millis("15m"), "15m", "First rest of a peer with proven faults; doubles up to 24h.")
} as const

const engineFlags = {
  mode: withDefault(
    Type.oneOf(["auto", "segmented", "anchored"], "auto"),
    "auto",
    "segmented: a quorum for each segment, from peers that hold all of it. anchored: a quorum on a recent block, then headers linked down " +
      "from it, for networks whose nodes keep days only. auto: segmented as long as the peers' branches reach down to us."
  ),
  headerPolicy: withDefault(
    Type.oneOf(["all", "own", "adaptive"], "adaptive"),
    "adaptive",
    "Whom headers are asked of: all peers, those that named the block, or these first and all when there is no quorum."
  ),
  strategy: withDefault(
    Type.oneOf(["cached-tail", "applied-branches"], "cached-tail"),
    "cached-tail",
    "Reorganisations: fetch and apply the better branch when it has won, or apply branches as they come (needs an applier that can)."
  ),
  segmentHeaders: withDefault(Type.integer(16, 1_000_000, 8192), "8192", "Most headers of one segment."),
  applyWindow: withDefault(Type.integer(1, 100_000, 128), "128", "Blocks whose operations are fetched ahead."),
  applyBatch: withDefault(Type.integer(1, 10_000, 64), "64", "Most blocks given to the applier at once."),
  maxReorgDepth: derived(
    Type.integer(1, 1_000_000, 5),
    "the network's finality + 3",
    "Deepest reorganisation below our head that is followed."
  ),
  retentionCycles: withDefault(
    Type.integer(1, 1000, 8),
    "8",
    "Cycles near the tip whose side branches are remembered."
  ),
  syncedWithin: derived(
    Type.integer(1, maxLevel, 60),
    "60, or ten blocks if that is more",
    "Seconds: a head as old as this counts as current."
  ),
  syncedPeers: withDefault(
    Type.integer(1, 1000, 4),
    "4",
    "Peers whose heads must agree with ours to be synced (or all)."
  ),
  stuckAfter: withDefault(
    Type.millis("120s"),
    "120s",
    "Time without progress after which peers are asked anew, then changed."
  )
} as const

const timerFlags = {
  branchTimeout: withDefault(
    Type.millis("15s"),
    "15s",
    "For an answer to the question for a branch; silence costs points."
  ),
  headerTimeout: withDefault(Type.millis("5s"), "5s", "For a header; grows to 30s. Silence costs a peer nothing."),
  operationsTimeout: withDefault(
    Type.millis("10s"),
    "10s",
    "For a list of operations; grows to 60s. Silence costs nothing."
  ),
  baseTimeout: withDefault(Type.millis("15s"), "15s", "For the header of --base, of each peer in turn."),
  silence: withDefault(Type.millis("120s"), "120s", "A peer that says nothing at all for so long is disconnected.")
} as const

export const syncFlags = {
  network: networkFlag,
  store: storeFlag,
  base: derived(
    blockHash,
    "the store's base, or genesis for a new store",
    "The block from which a new store begins: its hash, from a source that you trust, is the anchor of everything above."
  ),
  until: optional(
    until,
    "Ends the run with exit code 0 at this level, or when synced. Without it the run follows the chain."
  ),
  deadline: optional(Type.millis("30m"), "Ends the run after this time with exit code 3; what is stored stays."),
  ...peerFlags,
  listen: listenFlag,
  identity: identityFlag,
  applier: withDefault(
    Type.oneOf(["archive", "command", "octez-rpc", "simulator"], "archive"),
    "archive",
    "What applying a block means: verify and keep, hand to a child process, inject into an Octez node, or a toy state for tests."
  ),
  applierCommand: optional(
    Type.text("COMMAND", "a command line for /bin/sh", "./index-blocks"),
    "With --applier command: blocks come as JSON lines on its standard input, one answer a line goes back."
  ),
  octezRpc: optional(rpcUrl, "With --applier octez-rpc: the node's RPC address."),
  ...engineFlags,
  ...timerFlags,
  memory: memoryFlag,
  logLevel: logLevelFlag,
  control: controlFlag
} as const

export type SyncSettings = Settings<typeof syncFlags>
