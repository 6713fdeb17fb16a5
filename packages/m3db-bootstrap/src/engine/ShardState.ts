/** What the parts of one job share: its grouping, the states of its series-blocks, and what each part must tell the others. */
import type { Grouping } from "@peerstrap/metadata-grouping"
import type { BlockKey } from "../contract/BlockSink.ts"
import type { RunScope } from "./RunScope.ts"
import type { SeriesBlocks } from "./SeriesBlock.ts"

export interface ShardState {
  readonly scope: RunScope
  /** Index of the job in the run: the lane of its work. */
  readonly job: number
  readonly shard: number
  /** Run indices of the job's peers; a "peer" inside of a job is an index into this list. */
  readonly peers: ReadonlyArray<number>
  readonly majority: number
  readonly grouping: Grouping
  readonly series: SeriesBlocks
  /** Nothing is retried for ever: level `none`, or error policy 000 for data. */
  readonly isBestEffort: boolean
  /** A block is published: what was listed for it is closed. */
  readonly isSealed: boolean
  peerId(peer: number): string
  key(block: number): BlockKey
  /** Whether the block still changes. */
  isMutable(block: number): boolean
  /** `shard 3 block 1795226400000000000 id 666f6f`, for evidence and reports. */
  subject(group: number): string
  /** Whether the peer advertised the group and its listing is believed. */
  offers(group: number, peer: number): boolean
  /** A peer that nobody waits for reported a group that was ready already. Only takes note: the grouping is at work. */
  onAdded(group: number, peer: number): void
  /** The only peer that advertised the group did not deliver it. */
  onUndelivered(peer: number): void
  onMissing(group: number, reason: string): void
  onBlocked(group: number): void
  /** Draws bytes of metadata that found no room in the ledger when they came. False while they still find none: nothing more is listed before. */
  drawOwed(): boolean
  /** Nobody who is believed advertised it, or it is too old by now. */
  onDropped(group: number): void
}

/** Bytes drawn for one series-block whose peer announced `size` bytes: never so many that the copies of all peers could not be held. */
export const expectedBytes = (state: ShardState, group: number, peer: number): number =>
  Math.min(state.grouping.size(group, peer), mostExpectedBytes(state))

/** The most that `expectedBytes` is for any series-block of the job, by the capacity as it is now. */
export const mostExpectedBytes = ({ peers, scope: { ledger, limits } }: Pick<ShardState, "peers" | "scope">): number =>
  Math.min(limits.maxBlockBytes, Math.floor((ledger.capacity * limits.copiesShare) / peers.length))
