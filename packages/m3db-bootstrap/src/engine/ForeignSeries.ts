/**
 * Series that peers list in a shard to which they do not hash with our settings. One peer may say so of any series; when enough peers
 * list the same ones, and they are a large share of what each of them lists, it is arithmetic: `numShards` or `hashSeed` is not the
 * cluster's. A wrong number of shards puts half of all series or more elsewhere, a divisor of it none. (specs: peer streaming 3.5)
 */

/** One in so many listed rows must be foreign before a peer counts: half of the least that a wrong number of shards brings. */
const rowsPerForeign = 4

/** Whether so many foreign rows of all that a peer listed are no odd few: `numShards` or `hashSeed` may be wrong. */
export const isLargeForeignShare = (foreign: number, rows: number): boolean =>
  foreign > 0 && foreign * rowsPerForeign >= rows

/** Foreign ids remembered at once, by their hash: a few are enough to see that peers list the same. */
const maxRemembered = 4096

const bits = (mask: number): number => {
  let count = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++
  return count
}

export class ForeignSeries {
  /** By peer of the run. */
  private readonly rows: Float64Array
  private readonly foreign: Float64Array
  /** By hash of an id: bit mask of the peers of its job that list it. Ids with a hash above `below` are not remembered. */
  private readonly listedBy = new Map<number, number>()
  private below = 2 ** 32

  constructor(peers: number) {
    this.rows = new Float64Array(peers)
    this.foreign = new Float64Array(peers)
  }

  /** A foreign row with an id of this (unsigned) hash, listed by the peer of a job with this index. */
  note(hash: number, jobPeer: number): void {
    if (hash >= this.below) return
    this.listedBy.set(hash, (this.listedBy.get(hash) ?? 0) | 1 << jobPeer)
    while (this.listedBy.size > maxRemembered) {
      // By hash, not by time: of two peers with different orders the same ids stay.
      this.below /= 2
      for (const known of this.listedBy.keys()) if (known >= this.below) this.listedBy.delete(known)
    }
  }

  /** A whole page of a peer of the run. */
  count(peer: number, rows: number, foreign: number): void {
    this.rows[peer]! += rows
    this.foreign[peer]! += foreign
  }

  /** Those of `peers` (of the run) that list many foreign series, when they are at least `needed` and as many list the same one. */
  witnesses(
    peers: ReadonlyArray<number>,
    needed: number
  ): ReadonlyArray<{ peer: number; foreign: number; rows: number }> {
    const all = peers
      .map((peer) => ({ peer, foreign: this.foreign[peer]!, rows: this.rows[peer]! }))
      .filter(({ foreign, rows }) => isLargeForeignShare(foreign, rows))
    if (all.length < needed) return []
    for (const mask of this.listedBy.values()) if (bits(mask) >= needed) return all
    return []
  }
}
