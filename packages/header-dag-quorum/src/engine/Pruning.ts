/** Taking headers away: beside a chain with quorum, above one that turned out false, below a new base; and peers that leave. */
import type { Removed } from "../contract/HeaderDag.ts"
import { listBits } from "./Bits.ts"
import type { HeaderGraph } from "./HeaderGraph.ts"
import { freeLevel, markedFlag, namedLevel, provenFlag, supportedFlag } from "./Links.ts"

/** Appends the subtree of `root`, parents first, as far as it is not marked yet, and marks it. */
const collect = (graph: HeaderGraph, root: number, into: Array<number>): void => {
  const { links } = graph
  if (links.has(root, markedFlag)) return
  for (let node = root; node >= 0; node = links.following(root, node)) {
    links.set(node, markedFlag)
    into.push(node)
  }
}

const describe = (graph: HeaderGraph, node: number): Removed => {
  const { ids, links, support, words } = graph
  const at = node * support.stride
  return {
    id: ids.copyOf(node),
    level: links.levelOf(node),
    strong: listBits(support.bits, at + support.strongAt, words),
    weak: listBits(support.bits, at + support.weakAt, words)
  }
}

/** Forgets claims on a node, its place in its level and its id. */
const drop = (graph: HeaderGraph, node: number, levels: Set<number>): void => {
  const { links, support } = graph
  if (node === graph.search.knownHighest) graph.search.forgetHighest()
  links.orphan(node)
  if (links.levelOf(node) === namedLevel) {
    for (const peer of listBits(support.bits, node * support.stride, graph.words)) graph.named[peer]!--
  } else {
    const owner = links.ownerOf(node)
    if (owner >= 0 && !links.has(node, provenFlag)) graph.unproven[owner]!--
    if (links.slotOf(node) >= 0) {
      if (links.has(node, supportedFlag)) levels.add(links.levelOf(node))
      graph.leaveLevel(node)
    }
  }
  graph.release(node)
}

/**
 * Drops collected nodes and returns what they were; parents that stay are returned in `parents`. Named ones among them are dropped with them
 * when nothing else names them.
 */
const dropAll = (graph: HeaderGraph, nodes: ReadonlyArray<number>, parents: Set<number>): Array<Removed> => {
  const { links } = graph
  const removed = nodes.map((node) => describe(graph, node))
  for (const node of nodes) {
    const parent = links.parentOf(node)
    if (parent >= 0 && !links.has(parent, markedFlag)) parents.add(parent)
  }
  const levels = new Set<number>()
  for (let n = nodes.length - 1; n >= 0; n--) drop(graph, nodes[n]!, levels)
  for (const parent of parents) {
    if (links.levelOf(parent) !== namedLevel) continue
    const before = describe(graph, parent)
    if (!graph.releaseUnnamed(parent)) continue
    removed.push(before)
    parents.delete(parent)
  }
  for (const level of levels) graph.refreshLevel(level)
  return removed
}

export const removeSubtree = (graph: HeaderGraph, root: number): ReadonlyArray<Removed> => {
  const nodes: Array<number> = []
  collect(graph, root, nodes)
  const parents = new Set<number>()
  const removed = dropAll(graph, nodes, parents)
  for (const parent of parents) graph.recountUp(parent)
  return removed
}

/** Removes what contradicts the chain from the base to `top`, which is proven from now on. */
export const prune = (graph: HeaderGraph, top: number): ReadonlyArray<Removed> => {
  const { levels, links } = graph
  const chain: Array<number> = []
  for (let node = top; node >= 0; node = links.parentOf(node)) {
    links.set(node, markedFlag)
    chain.push(node)
    if (node !== graph.base) graph.prove(node)
  }
  const nodes: Array<number> = []
  const topLevel = links.levelOf(top)
  for (let level = links.levelOf(graph.base) + 1; level <= topLevel + 1; level++) {
    const slot = levels.find(level)
    for (let node = slot < 0 ? -1 : levels.headOf(slot); node >= 0; node = links.nextAtLevelOf(node)) {
      if (level <= topLevel || links.parentOf(node) !== top) collect(graph, node, nodes)
    }
  }
  for (const node of chain) links.unset(node, markedFlag)
  if (nodes.length === 0) return []
  const parents = new Set<number>()
  const removed = dropAll(graph, nodes, parents)
  for (const parent of parents) if (links.levelOf(parent) === namedLevel) graph.recount(parent)
  for (const node of chain) graph.recount(node)
  return removed
}

/** Prunes, then drops the chain beneath the new base. Only what stood beside the chain is told. */
export const advanceBase = (graph: HeaderGraph, node: number): ReadonlyArray<Removed> => {
  const { links } = graph
  const removed = prune(graph, node)
  if (node === graph.base) return removed
  const levels = new Set<number>()
  let below = links.parentOf(node)
  links.orphan(node)
  while (below >= 0) {
    const parent = links.parentOf(below)
    drop(graph, below, levels)
    below = parent
  }
  graph.leaveLevel(node)
  graph.becomeBase(node)
  if (node === graph.search.knownHighest) graph.search.forgetHighest()
  return removed
}

/** Forgets what a peer claimed, and, when it leaves, what it replied and delivered. */
export const forgetPeer = (graph: HeaderGraph, peer: number, leaves: boolean): void => {
  const { conflicts, levels, links, search, support } = graph
  const hadConflict = conflicts.lowest !== Infinity
  levels.forgetPeer(peer)
  for (let node = 0; node < links.end; node++) {
    const level = links.levelOf(node)
    if (level === freeLevel) continue
    if (leaves && links.ownerOf(node) === peer) links.setOwner(node, -1)
    support.forget(node, peer, leaves)
    const slot = links.slotOf(node)
    if (slot >= 0 && links.has(node, supportedFlag) && !support.any(node)) {
      links.unset(node, supportedFlag)
      levels.addSupported(slot, -1)
      if (hadConflict) conflicts.lessAt(level, slot)
    }
    graph.releaseUnnamed(node)
  }
  graph.named[peer] = 0
  if (leaves) graph.unproven[peer] = 0
  if (hadConflict) {
    conflicts.collectAnew()
    search.recountAll()
  } else search.doubt(-Infinity)
}
