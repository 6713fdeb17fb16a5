/** What all parts of one run share: options, clock, level, ledger, queues, the book of evidence, and where actions go. */
import type { Level } from "@peerstrap/consistency-policy"
import type { MergeRule } from "@peerstrap/m3tsz"
import type { AdaptivePeerQueues, EvidenceBook, Ranking, Verdict } from "@peerstrap/peer-selection"
import type { ByteLedger } from "@peerstrap/transport"
import type { StreamLimits } from "../contract/Limits.ts"
import type { Outcome, StreamAction, StreamOptions } from "../contract/StreamRun.ts"
import type { ForeignSeries } from "./ForeignSeries.ts"
import type { Tally } from "./Tally.ts"

export interface RunScope {
  readonly options: StreamOptions
  readonly limits: StreamLimits
  readonly ledger: ByteLedger
  readonly queues: AdaptivePeerQueues
  readonly ranking: Ranking
  readonly mergeRule: MergeRule
  readonly book: EvidenceBook
  readonly tally: Tally
  readonly foreign: ForeignSeries
  /** In [0, 1). */
  readonly random: () => number
  /** Engine time of the event being processed, ms: for pauses and spans. It never jumps. */
  now: number
  /** The caller's clock, ms since the Unix epoch: for retention and reports. */
  wall: number
  level: Level
  /** Set once something makes going on pointless. */
  failure: (Outcome & { readonly _tag: "failed" }) | undefined
  /** The kind of evidence that turned out to be the doing of our settings: it is held against nobody. */
  ownFault: string | undefined
  emit(action: StreamAction): void
  nextDelivery(): number
}

/** Whether a peer has failed so often in a row that nobody waits for it where the level is met without it. */
export const isHopeless = (scope: RunScope, peer: number): boolean =>
  scope.queues.state(peer).failuresInRow >= scope.limits.failuresUntilHopeless

/** Bytes drawn from the ledger for one buffer that several deliveries share; given back with the last of them. */
export interface Hold {
  readonly account: string
  bytes: number
  references: number
  /** Called when nobody needs the buffer any more. */
  readonly onReleased?: (() => void) | undefined
}

export const releaseHold = (scope: RunScope, hold: Hold): void => {
  hold.references--
  if (hold.references > 0) return
  scope.ledger.release(hold.account, hold.bytes)
  hold.onReleased?.()
}

/** Records proof against a peer, or the fact that something went wrong on an unknown side. */
export const record = (
  scope: RunScope,
  peer: number,
  kind: string,
  verdict: Verdict,
  subject: string,
  detail: string
): void => scope.book.add({ peer: scope.options.peers[peer]!, kind, verdict, subject, detail, atMillis: scope.wall })
