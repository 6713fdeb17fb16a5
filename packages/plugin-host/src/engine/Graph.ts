/** A composition whose parts fit: who uses whom through which kind, in the order in which they start. */
import type { Budgets } from "../contract/Budgets.ts"
import type { AnyKind } from "../contract/Kind.ts"
import type { AnyPlugin } from "../contract/Plugin.ts"

/** What a node requires, and who provides it. */
export interface GraphEdge {
  readonly kind: AnyKind
  /** Indices of the nodes that provide it, in the order of the composition. */
  readonly providers: ReadonlyArray<number>
}

/** One part of the composition. */
export interface GraphNode {
  /** Index in `Graph.nodes`, which is the order of the composition. */
  readonly index: number
  /** The plugin's id, `id(name)` for a part with a name, with `#2` for the second of the same. */
  readonly name: string
  readonly plugin: AnyPlugin
  /** Decoded. */
  readonly config: unknown
  readonly budgets: Budgets
  readonly requires: ReadonlyArray<GraphEdge>
}

/** A composition whose parts fit. */
export interface Graph {
  readonly nodes: ReadonlyArray<GraphNode>
  /** Indices of the nodes: providers before those that require them, otherwise as composed. */
  readonly order: ReadonlyArray<number>
}

/** Names of all parts that a part uses, directly or through others. */
export const providersBelow = (graph: Graph): (name: string) => ReadonlySet<string> => {
  const byName = new Map(graph.nodes.map((node) => [node.name, node]))
  const known = new Map<string, ReadonlySet<string>>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const below = new Set<string>()
    const ahead = [name]
    for (let at = ahead.pop(); at !== undefined; at = ahead.pop()) {
      for (const { providers } of byName.get(at)?.requires ?? []) {
        for (const provider of providers.map((index) => graph.nodes[index]!.name)) {
          if (!below.has(provider)) ahead.push(provider)
          below.add(provider)
        }
      }
    }
    known.set(name, below)
    return below
  }
}

/** One row a node and one for each thing it uses. */
export const graphText = (graph: Graph): string =>
  graph.order.map((at) => {
    const node = graph.nodes[at]!
    const uses = node.requires.map(({ kind, providers }) =>
      `  ├ ${kind.id} ◄ ${providers.map((provider) => graph.nodes[provider]!.name).join(", ")}\n`
    )
    const gives = node.plugin.provides.map(({ id, multiplicity }) =>
      multiplicity === "many" ? `${id} (one of many)` : id
    )
    return `${node.name} ${node.plugin.version} → ${gives.join(", ")}\n${uses.join("")}`
  }).join("")

/** The same as a plain value, ready for JSON. */
export const graphJson = (graph: Graph) => ({
  plugins: graph.order.map((at) => {
    const { budgets, name, plugin, requires } = graph.nodes[at]!
    return {
      name,
      id: plugin.id,
      version: plugin.version,
      stability: plugin.stability,
      provides: plugin.provides.map(({ id }) => id),
      requires: requires.map(({ kind, providers }) => ({
        kind: kind.id,
        from: providers.map((provider) => graph.nodes[provider]!.name)
      })),
      budgets
    }
  })
})
