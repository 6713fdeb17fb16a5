/**
 * Whose support counts (A16, 5.8): at most so many of one group, and never more incoming than outgoing ones, because whoever attacks chooses
 * where he connects from but not whom we dial. The longest connected go first, so that newcomers never displace anyone.
 */
import type { Side } from "../../contract/ChainProtocol.ts"

export interface Countable {
  readonly peer: number
  readonly side: Side
  /** Undefined: exempt. */
  readonly group: string | undefined
}

/** The numbers of the peers that count, of `peers` given longest connected first; outgoing ones first. */
export const countedPeers = (peers: ReadonlyArray<Countable>, maxPerGroup: number): ReadonlyArray<number> => {
  const inGroup = new Map<string, number>()
  const take = (side: Side, most: number): Array<number> => {
    const taken: Array<number> = []
    for (const peer of peers) {
      if (peer.side !== side || taken.length >= most) continue
      const before = peer.group === undefined ? 0 : inGroup.get(peer.group) ?? 0
      if (before >= maxPerGroup) continue
      if (peer.group !== undefined) inGroup.set(peer.group, before + 1)
      taken.push(peer.peer)
    }
    return taken
  }
  const outgoing = take("outgoing", Infinity)
  return [...outgoing, ...take("incoming", outgoing.length)]
}
