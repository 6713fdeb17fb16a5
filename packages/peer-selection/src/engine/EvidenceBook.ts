/** A bounded record of what peers did: counts everything, keeps the first few of each kind as proof. */
import type { EvidenceBook, EvidenceRecord } from "../contract/Evidence.ts"

/** How much is kept. */
export interface EvidenceBookOptions {
  /** Records kept by peer and kind; the first ones, because later ones are mostly repetitions. Default 16. */
  readonly keepPerKind?: number
}

/** An empty book. Memory: one counter by (peer, kind) and at most `keepPerKind` records for each. */
export const makeEvidenceBook = (options: EvidenceBookOptions = {}): EvidenceBook => {
  const keepPerKind = options.keepPerKind ?? 16
  if (!Number.isSafeInteger(keepPerKind) || keepPerKind < 0) {
    throw new RangeError(`EvidenceBook: keepPerKind must be an integer from 0, got ${keepPerKind}`)
  }
  const counts = new Map<string, Map<string, number>>()
  const kept: Array<EvidenceRecord> = []
  const count = (peer: string, kind?: string): number => {
    const byKind = counts.get(peer)
    if (byKind === undefined) return 0
    if (kind !== undefined) return byKind.get(kind) ?? 0
    let sum = 0
    for (const times of byKind.values()) sum += times
    return sum
  }
  return {
    count,
    add: (record) => {
      const before = count(record.peer, record.kind)
      if (before < keepPerKind) kept.push(record)
      const byKind = counts.get(record.peer) ?? new Map<string, number>()
      byKind.set(record.kind, before + 1)
      counts.set(record.peer, byKind)
    },
    records: (peer) => peer === undefined ? kept.slice() : kept.filter((record) => record.peer === peer),
    // fromEntries defines own properties, so that a peer called "__proto__" is just a peer.
    summary: () => Object.fromEntries([...counts].map(([peer, byKind]) => [peer, Object.fromEntries(byKind)]))
  }
}
