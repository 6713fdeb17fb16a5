/**
 * Whether the series of a fileset lie in the shard that their ids hash to. A few that do not are damage; when most do not, the number of
 * shards or the seed that was given is more likely wrong than the data, and what would explain all of them is arithmetic: the greatest
 * common divisor of (hash − shard). (specs: peer streaming 4.1)
 */
import { murmur3 } from "@peerstrap/m3db-wire"

/** How the series of a fileset fit its shard. */
export interface ShardFit {
  /** Entries that belong to another shard. */
  readonly misplaced: number
  /** Most of the entries do, and more than a few: the settings are more likely wrong than the fileset. */
  readonly isMostlyElsewhere: boolean
  /** With every number of shards above the fileset's that divides it all entries belong to the fileset's shard; 0 without entries. */
  readonly modulus: number
}

/** The remedy of the one problem that a fileset has whose series mostly belong elsewhere. */
export const checkSharding = "check the number of shards and the hash seed before anything else: the files may be good"

/** Fewer series may lie in a wrong place by one fault. */
const fewEntries = 4

/** The greatest common divisor; 0 with anything is that. */
export const commonDivisor = (a: number, b: number): number => {
  let [large, small] = [a, b]
  while (small !== 0) [large, small] = [small, large % small]
  return large
}

export class ShardCheck {
  private entries = 0
  private misplaced = 0
  private modulus = 0
  private readonly shard: number
  private readonly numShards: number
  private readonly seed: number

  constructor(shard: number, sharding: { readonly numShards: number; readonly seed: number }) {
    this.shard = shard
    this.numShards = sharding.numShards
    this.seed = sharding.seed
  }

  /** The shard that the id belongs to. */
  look(id: Uint8Array): number {
    const hash = murmur3(id, this.seed)
    const belongs = hash % this.numShards
    this.entries++
    if (belongs !== this.shard) this.misplaced++
    this.modulus = commonDivisor(this.modulus, Math.abs(hash - this.shard))
    return belongs
  }

  get fit(): ShardFit {
    const { entries, misplaced, modulus } = this
    return { misplaced, isMostlyElsewhere: misplaced >= fewEntries && misplaced * 2 > entries, modulus }
  }
}
