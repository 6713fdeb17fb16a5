/** Why a composition does not go on: for each plugin in trouble the chain of users from the program down to it. */
import type { Wait } from "@peerstrap/progress"
import { isWell, type PluginStatus, type Status } from "../contract/Status.ts"
import type { Graph } from "./Graph.ts"

/** One chain of users from the program down to what is in trouble. */
export interface WhyChain {
  /** `program` first, the plugin that is the cause last. */
  readonly chain: ReadonlyArray<string>
  readonly status: PluginStatus
  readonly waits: ReadonlyArray<Wait>
}

/** A consequence is not worse than its cause: a plugin that waits does not explain one that is dead. */
const severity: Readonly<Record<Status, number>> = {
  ok: 0,
  stopped: 0,
  starting: 1,
  stopping: 1,
  recoverable: 1,
  permanent: 2,
  fatal: 3
}

/** Shortest way from a node that no other requires to each node. */
const waysTo = (graph: Graph): ReadonlyArray<ReadonlyArray<number>> => {
  const uses = graph.nodes.map(({ requires }) => requires.flatMap(({ providers }) => providers))
  const used = new Set(uses.flat())
  const ways: Array<ReadonlyArray<number> | undefined> = graph.nodes.map(() => undefined)
  const queue = graph.nodes.flatMap(({ index }) => (used.has(index) ? [] : [[index]]))
  for (let way = queue.shift(); way !== undefined; way = queue.shift()) {
    const last = way.at(-1)!
    if (ways[last] !== undefined) continue
    ways[last] = way
    for (const next of uses[last]!) queue.push([...way, next])
  }
  return ways.map((way) => way ?? [])
}

/**
 * One chain for each plugin that waits, or is not well, while nothing that it uses is in as much trouble: causes, not consequences.
 * Longest trouble first.
 */
export const whyChains = (
  graph: Graph,
  statuses: ReadonlyArray<PluginStatus>,
  waits: (node: number) => ReadonlyArray<Wait>
): ReadonlyArray<WhyChain> => {
  const waiting = graph.nodes.map(({ index }) => waits(index))
  const isTroubled = (node: number): boolean => !isWell(statuses[node]!.status) || waiting[node]!.length > 0
  const explains = (provider: number, node: number): boolean =>
    isTroubled(provider) && severity[statuses[provider]!.status] >= severity[statuses[node]!.status]
  const ways = waysTo(graph)
  return graph.nodes
    .filter(({ index, requires }) =>
      isTroubled(index) && !requires.some(({ providers }) => providers.some((provider) => explains(provider, index)))
    )
    .map(({ index }) => ({
      chain: ["program", ...ways[index]!.map((at) => graph.nodes[at]!.name)],
      status: statuses[index]!,
      waits: waiting[index]!
    }))
    .toSorted((a, b) => a.status.sinceMillis - b.status.sinceMillis)
}
