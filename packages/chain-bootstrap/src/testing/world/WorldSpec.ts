/** What a simulated world is made of, as plain values: a seed's draw, or a test's own choice. */
import type { SyncOptions } from "../../contract/ChainSync.ts"

/** Faults of peers (specs: chain bootstrap 9.6). Everything but the first few is a lie. */
export type Fault =
  /** Answers nothing at all. */
  | "silent"
  /** Answers after many seconds. */
  | "slow"
  | "no-headers"
  | "no-units"
  /** Serves only headers that its own branch names. */
  | "own-targets-only"
  /** One branch made of blocks of two chains. */
  | "equivocating"
  /** Follows a chain of the liars that leaves the honest one `depth` blocks below the head. */
  | "forking"
  | "fake-high-head"
  /** Names honest blocks at wrong levels. */
  | "bogus-steps"
  /** Sends headers and bodies that nobody asked for. */
  | "unsolicited"
  | "bad-proof"
  /** Names blocks that do not exist. */
  | "dead-hash"
  /** Head with a time far ahead. */
  | "future-head"
  /** Names a lost block of a level that is long settled; honest peers have it stored, too. */
  | "orphan"
  /** Headers that break a rule of the chain. */
  | "bad-header"
  /** Its chain leaves the honest one right above the base, and it serves all of it. */
  | "flood"
  /** Its chain leaves ours below our head. */
  | "deviating"

export interface PeerSpec {
  readonly name: string
  readonly point: string
  /** Connects to us instead of being dialled. */
  readonly incoming: boolean
  readonly fault: Fault | undefined
  /** One way, without jitter. */
  readonly latencyMillis: number
  readonly jitterMillis: number
  /** Answers come in any order. */
  readonly reorders: boolean
  /** Chance that a dial fails. */
  readonly dialFailure: number
  /** The connection breaks about so often; Infinity: never. */
  readonly breaksMillis: number
  /** Keeps so many blocks below its head; Infinity: all. */
  readonly keeps: number
  /** Blocks that it is behind the others, and how many it gains a second. */
  readonly behind: number
  readonly catchUp: number
  readonly firstStep: number
  /** Understands get-ancestor. */
  readonly ancestors: boolean
  /** Rather than its main chain: a lost honest branch of this many blocks, at the level where it stopped. */
  readonly stale: number
}

export interface ApplierSpec {
  readonly branches: "one" | "many"
  readonly blockMillis: number
  /** Chance that a batch fails for a reason that passes. */
  readonly transient: number
  /** Refuses the honest block of this level. */
  readonly invalidAt: number | undefined
}

export interface WorldSpec {
  readonly seed: number
  readonly levels: number
  /** Level of the trusted block where we start; 0 is the genesis. */
  readonly baseLevel: number
  readonly units: number
  readonly spacingSeconds: number
  readonly peers: ReadonlyArray<PeerSpec>
  /** Blocks by which the liars' chain leaves the honest one, below its head. */
  readonly forkDepth: number
  /** Weight that the liars add to their chain. */
  readonly forkWeight: number
  readonly options: SyncOptions
  readonly applier: ApplierSpec
  readonly storeMillis: number
  /** Virtual times of crashes: what was not durable is lost. */
  readonly restarts: ReadonlyArray<number>
  /** The chain goes on while we follow it, until this time; 0: it does not. */
  readonly growsUntilMillis: number
  /** Times at which the honest peers move to a heavier chain that leaves theirs so many blocks below the head. */
  readonly reorganisations: ReadonlyArray<{ readonly atMillis: number; readonly depth: number }>
  /** How old the head is at the start. */
  readonly headAgeSeconds: number
  /** The machine sleeps: nothing is processed for a while. */
  readonly sleeps: ReadonlyArray<{ readonly atMillis: number; readonly forMillis: number }>
  readonly deadlineMillis: number
}
