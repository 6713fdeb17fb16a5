/** A header arrives: does it fit what is known, is there room, and what does it link. */
import type { Insertion } from "../contract/HeaderDag.ts"
import { HeaderDagLimits } from "../contract/HeaderDagLimits.ts"
import { listBits } from "./Bits.ts"
import type { HeaderGraph } from "./HeaderGraph.ts"
import { connectedFlag } from "./Links.ts"

export const checkInteger = (what: string, value: number, least: number, most: number): void => {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new RangeError(`${what} must be an integer from ${least} to ${most}, got ${value}`)
}

/** The relative whose level does not fit, undefined when all do. */
const contradictionOf = (
  graph: HeaderGraph,
  node: number,
  parent: number,
  level: number
): Extract<Insertion, { readonly outcome: "contradiction" }> | undefined => {
  const { links } = graph
  if (parent >= 0 && graph.isHeader(parent) && links.levelOf(parent) !== level - 1) {
    return { outcome: "contradiction", relative: parent, relation: "parent" }
  }
  for (let child = node < 0 ? -1 : links.firstChildOf(node); child >= 0; child = links.nextOf(child)) {
    if (links.levelOf(child) !== level + 1) return { outcome: "contradiction", relative: child, relation: "child" }
  }
  return undefined
}

/** Puts a header between its parent and its children, then lets support flow through. */
const link = (graph: HeaderGraph, node: number, parent: number, level: number): void => {
  const { links, support } = graph
  for (const peer of listBits(support.bits, node * support.stride, graph.words)) graph.named[peer]!--
  links.adopt(parent, node)
  graph.enterLevel(node, level)
  for (let child = links.firstChildOf(node); child >= 0; child = links.nextOf(child)) links.join(child, node)
  if (links.has(parent, connectedFlag)) graph.connect(node)
  else if (graph.isHeader(parent)) links.join(node, parent)
  graph.spreadFrom(node)
}

/** Adds a header, or says why not. The lengths of the ids and the peer are checked already. */
export const insertHeader = (
  graph: HeaderGraph,
  id: Uint8Array,
  parent: Uint8Array,
  level: number,
  peer: number,
  maxUnproven: number
): Insertion => {
  const { ids, links } = graph
  const hash = ids.hash(id, 0)
  let node = ids.find(id, 0, hash)
  checkInteger("insert: level", level, -HeaderDagLimits.maxLevel - 1, HeaderDagLimits.maxLevel)
  if (level <= links.levelOf(graph.base)) return { outcome: "below" }
  if (node >= 0 && graph.isHeader(node)) return { outcome: "known", node }
  const parentHash = ids.hash(parent, 0)
  if (hash === parentHash && id.every((byte, n) => byte === parent[n])) {
    return { outcome: "contradiction", relative: node, relation: "parent" }
  }
  let under = ids.find(parent, 0, parentHash)
  const contradiction = contradictionOf(graph, node, under, level)
  if (contradiction !== undefined) return contradiction
  if (peer >= 0 && graph.unproven[peer]! >= maxUnproven) return { outcome: "unproven" }
  if (links.count + (node < 0 ? 1 : 0) + (under < 0 ? 1 : 0) > graph.maxNodes) return { outcome: "full" }
  if (node < 0) node = graph.allocate(id, 0, hash)
  if (under < 0) under = graph.allocate(parent, 0, parentHash)
  if (peer >= 0) graph.unproven[peer]!++
  links.setOwner(node, peer)
  link(graph, node, under, level)
  return { outcome: "added", node }
}
