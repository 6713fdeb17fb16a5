/** What the demonstration of a chain does: who serves what and misbehaves how, how the chain moves, the command lines of the app. Pure. */
import type { ChainSpec, HeadName } from "../chains/ChainSpec.ts"
import { type ForPeers, isIn, type NetworkPlan, type PeerSet } from "../chains/PeerPlan.ts"

/** Nine honest peers on one head are more than two thirds of thirteen, whatever the others do. */
export const demoPeers = 13
const processes = 4
const minority: PeerSet = [[10, 10]]
const forger = 11
const staller = 12
const flapper = 13

/** The branch that wins in the end leaves the main one so many blocks below its head, … */
const reorganisedBlocks = 2
/** … is announced when it is longer by so many, and then grows. */
const announcedAbove = 1
const growth = 2

/** The fork that loses leaves the main branch a little deeper, and is shorter. */
const minorityBelow = 3
const minorityBlocks = 2

/** The forger's branch: above this many blocks below the head, longer than everybody else's. */
const forgedBelow = 48
const answersBeforeSilence = 60
const flapMillis = { up: 1_500, down: 1_000 } as const

const proofOfWork = 12

/** The fewest levels on which all of this has room. */
export const leastDemoLevels = 100

export interface ChainDemoSettings {
  readonly seed: number
  readonly levels: number
  readonly operations: number
  readonly host: string
  readonly basePort: number
}

export interface Fault {
  readonly peer: number
  /** One word. */
  readonly role: string
  readonly does: string
  readonly behaviours: string
  /** What it does proves that it lies; silence and absence prove nothing. */
  readonly isProvable: boolean
}

export const chainDemoFaults = (levels: number): ReadonlyArray<Fault> => [
  {
    peer: forger,
    role: "forger",
    does: `has a forged branch above level ${levels - forgedBelow} and changes operations`,
    behaviours: `forger:${levels - forgedBelow}+bad-ops:flip`,
    isProvable: true
  },
  {
    peer: staller,
    role: "staller",
    does: `falls silent after ${answersBeforeSilence} answers`,
    behaviours: `stall:${answersBeforeSilence}`,
    isProvable: false
  },
  {
    peer: flapper,
    role: "flapper",
    does: `is there for ${flapMillis.up / 1_000} s, gone for ${flapMillis.down / 1_000} s, and so on`,
    behaviours: `flap:${flapMillis.up}:${flapMillis.down}`,
    isProvable: false
  }
]

/** How the chain moves while it is followed. */
export interface ChainMoves {
  /** What most peers have first. */
  readonly first: HeadName & { readonly level: number }
  /** Last level that the first and the final branch share. */
  readonly forkLevel: number
  /** What all peers have in the end, head after head; the first one makes the reorganisation. */
  readonly later: ReadonlyArray<HeadName & { readonly level: number }>
  readonly finalLevel: number
}

const losing = "losing"
const winning = "winning"

export const chainMoves = (levels: number): ChainMoves => ({
  first: { branch: "main", level: levels },
  forkLevel: levels - reorganisedBlocks,
  later: Array.from({ length: growth + 1 }, (_, i) => ({ branch: winning, level: levels + announcedAbove + i })),
  finalLevel: levels + announcedAbove + growth
})

const specOf = ({ levels, operations, seed }: ChainDemoSettings, nowSeconds: number): ChainSpec => ({
  seed: String(seed),
  chainName: "TEZOS_DEMO",
  levels,
  operationsPerBlock: operations,
  operationBytes: [80, 260],
  headSeconds: nowSeconds,
  forks: [
    { name: winning, at: levels - reorganisedBlocks, length: reorganisedBlocks + announcedAbove + growth },
    { name: losing, at: levels - minorityBelow, length: minorityBlocks }
  ]
})

export const demoNetwork = (settings: ChainDemoSettings, faults: boolean, nowSeconds: number): NetworkPlan => ({
  spec: specOf(settings, nowSeconds),
  host: settings.host,
  basePort: settings.basePort,
  proofOfWork,
  peers: demoPeers,
  processes,
  heads: [{ peers: minority, value: { branch: losing, level: undefined } }],
  behaviours: faults
    ? chainDemoFaults(settings.levels).map(({ behaviours, peer }): ForPeers<string> => ({
      peers: [[peer, peer]],
      value: behaviours
    }))
    : []
})

/** What a peer is to the demonstration, in words. */
export const roleOf = (id: number, faults: ReadonlyArray<Fault>): string =>
  faults.find(({ peer }) => peer === id)?.role ?? (isIn(minority, id) ? "on the losing fork" : "honest")

export const chainFaultsInWords = (faults: ReadonlyArray<Fault>): string =>
  faults.length === 0 ? "none" : faults.map(({ does, peer, role }) => `${peer}, the ${role}, ${does}`).join("; ")

export interface ChainPaths {
  /** The network file. */
  readonly network: string
  readonly store: string
  readonly control: string
}

/** A run of the demonstration takes seconds; one that takes so long says what it waited for and fails. */
export const syncDeadline = "2m"

export const syncArgs = (paths: ChainPaths, finalLevel: number): ReadonlyArray<string> => [
  "sync",
  "--network",
  paths.network,
  "--store",
  paths.store,
  "--control",
  paths.control,
  "--until",
  `level:${finalLevel}`,
  // This chain stands still until the demonstration moves it.
  "--synced-within",
  "600",
  "--deadline",
  syncDeadline,
  "--json"
]

export const verifyStoreArgs = (store: string): ReadonlyArray<string> => ["verify", store, "--json"]
