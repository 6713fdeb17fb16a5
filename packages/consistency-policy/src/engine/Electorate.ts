/**
 * The peers that can be asked, and whose answers count. The origin (the node that asks) is not one of them: nothing is read
 * from it, so a level that waited for it would wait for ever. M3 counts it on one side only, which makes `all` unreachable there.
 * (specs: peer streaming 3.13, D8)
 */
export class Electorate {
  /** Peer ids in the order given, each once, without the origin. */
  readonly peers: ReadonlyArray<string>
  /** The node that asks; undefined for a reader that holds no replica. */
  readonly origin: string | undefined
  /** Whether the origin was among the peers given, and left out. */
  readonly originExcluded: boolean
  private readonly members: ReadonlySet<string>

  private constructor(peers: ReadonlyArray<string>, origin: string | undefined) {
    this.members = new Set(peers.filter((peer) => peer !== origin))
    this.peers = [...this.members]
    this.origin = origin
    this.originExcluded = origin !== undefined && peers.includes(origin)
  }

  /** Leaves the origin and repeated ids out. A placement's list for a shard may be given as it is. */
  static make(options: { readonly peers: ReadonlyArray<string>; readonly origin?: string }): Electorate {
    return new Electorate(options.peers, options.origin)
  }

  get size(): number {
    return this.peers.length
  }

  has(peer: string): boolean {
    return this.members.has(peer)
  }

  /** For reports: `3 peers (a, b, c; origin d is not counted)`. */
  describe(): string {
    const names = this.peers.join(", ")
    const origin = this.originExcluded ? `origin ${this.origin} is not counted` : ""
    const inside = [names, origin].filter((part) => part !== "").join("; ")
    return `${this.size} ${this.size === 1 ? "peer" : "peers"}${inside === "" ? "" : ` (${inside})`}`
  }
}
