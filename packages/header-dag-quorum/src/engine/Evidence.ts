/** Who supported a chosen segment, written down so that anybody can count again. */
import type { EvidenceRun, SegmentEvidence } from "../contract/HeaderDag.ts"
import { listBits } from "./Bits.ts"
import type { HeaderGraph } from "./HeaderGraph.ts"
import type { Verdict } from "./QuorumSearch.ts"

/** Lower-case hex. */
export const hexOf = (bytes: Uint8Array): string => {
  let out = ""
  for (const byte of bytes) out += (byte < 16 ? "0" : "") + byte.toString(16)
  return out
}

interface Votes {
  readonly rule: Exclude<Verdict, undefined>
  readonly witness: number
  /** Words of the supporters, then of the electorate. */
  readonly peers: Int32Array
}

/** The votes for a node that has just been counted. */
const votesOf = (graph: HeaderGraph, node: number, rule: Exclude<Verdict, undefined>): Votes => {
  const { electorate, search, support, words } = graph
  const peers = new Int32Array(2 * words)
  for (let word = 0, at = node * support.stride; word < words; word++) {
    const electors = rule === "tip" ? electorate.all[word]! : electorate.settledWord(word)
    const strong = support.bits[at + support.strongAt + word]! & ~search.equivocal[word]!
    const weak = rule === "tip" || search.conflict
      ? 0
      : support.bits[at + support.weakAt + word]! & electorate.saidWord(word)
    peers[word] = (strong | weak) & electors
    peers[words + word] = electors
  }
  return { rule, witness: node, peers }
}

const sameVotes = (one: Votes, other: Votes): boolean =>
  one.rule === other.rule && one.peers.every((word, n) => word === other.peers[n])

/** The lowest node with a quorum of its own at or above `top`, found from the highest one, which stands on the same chain. */
const witnessOf = (graph: HeaderGraph, top: number): Votes | undefined => {
  const own = graph.search.count(top)
  if (own !== undefined) return votesOf(graph, top, own)
  const highest = graph.search.highestNode
  let lowest: Votes | undefined
  let node = highest
  while (node >= 0 && graph.links.levelOf(node) > graph.links.levelOf(top)) {
    const rule = graph.search.count(node)
    if (rule !== undefined) lowest = votesOf(graph, node, rule)
    node = graph.links.parentOf(node)
  }
  return node === top ? lowest : undefined
}

export const evidenceOf = (graph: HeaderGraph, top: number, minSupporters: number): SegmentEvidence => {
  const { base, electorate, ids, links, search, words } = graph
  const topLevel = links.levelOf(top)
  const runs: Array<EvidenceRun> = []
  const write = (votes: Votes, fromLevel: number, toLevel: number): void => {
    runs.push({
      fromLevel,
      toLevel,
      witnessId: hexOf(ids.copyOf(votes.witness)),
      witnessLevel: links.levelOf(votes.witness),
      rule: votes.rule,
      supporters: listBits(votes.peers, 0, words),
      electorate: listBits(votes.peers, words, words)
    })
  }
  if (top !== base) {
    let votes = witnessOf(graph, top)
    if (votes === undefined) {
      throw new RangeError(`evidence: node ${top} has no quorum; ask for a node at or below highestQuorum`)
    }
    let toLevel = topLevel
    for (let node = top; node !== base; node = links.parentOf(node)) {
      const rule = search.count(node)
      if (rule === undefined) continue
      const own = votesOf(graph, node, rule)
      if (sameVotes(own, votes)) continue
      const level = links.levelOf(node)
      if (level < toLevel) {
        write(votes, level + 1, toLevel)
        toLevel = level
      }
      votes = own
    }
    write(votes, links.levelOf(base) + 1, toLevel)
  }
  return {
    baseId: hexOf(ids.copyOf(base)),
    baseLevel: links.levelOf(base),
    topId: hexOf(ids.copyOf(top)),
    topLevel,
    minSupporters,
    electors: listBits(electorate.all, 0, words),
    runs: runs.toReversed()
  }
}
