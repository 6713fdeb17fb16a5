/** Parts → graph, or everything that is wrong with them at once. Pure: nothing is built or loaded here. */
import { budgetNames, type Budgets } from "../contract/Budgets.ts"
import type { PlacedPart } from "../contract/Composition.ts"
import type { AnyKind } from "../contract/Kind.ts"
import { type AnyPlugin, hostVersion, stabilities, type Stability } from "../contract/Plugin.ts"
import type { Problem } from "../contract/Problem.ts"
import { decodeConfig } from "./DecodeConfig.ts"
import type { Graph, GraphEdge, GraphNode } from "./Graph.ts"
import { orderNodes } from "./Order.ts"

/** What a composition must provide and may use. */
export interface ResolveOptions {
  /** Kinds that the program itself uses, beside what parts require. */
  readonly needs?: ReadonlyArray<AnyKind>
  /** Lowest stability that is taken. Default `experimental`: all. */
  readonly stability?: Stability
  /** What this machine grants; the sum over all parts must not be above it. */
  readonly machine?: Budgets
  /** Plugins that a problem may suggest. */
  readonly known?: ReadonlyArray<AnyPlugin>
}

/** The graph, or everything that is wrong. */
export type Resolved = { readonly graph: Graph } | { readonly problems: ReadonlyArray<Problem> }

interface Checked {
  readonly part: PlacedPart
  readonly name: string
  readonly config: unknown
  readonly budgets: Budgets
}

const checkPart = (part: PlacedPart, stability: Stability, problems: Array<Problem>): unknown => {
  const { plugin } = part
  if (plugin.host !== hostVersion) {
    problems.push({
      kind: "host-version",
      where: part.where(),
      message:
        `${plugin.id} ${plugin.version} was written for version ${plugin.host} of the plugin contract, this host has ${hostVersion}`,
      remedy: plugin.host > hostVersion ? "update the host" : "update the plugin"
    })
  }
  if (stabilities.indexOf(plugin.stability) < stabilities.indexOf(stability)) {
    problems.push({
      kind: "stability",
      where: part.where(),
      message: `${plugin.id} is ${plugin.stability}, wanted is ${stability} or better`,
      remedy: "allow it by lowering the stability that is asked for"
    })
  }
  const decoded = decodeConfig(part)
  if ("problems" in decoded) {
    problems.push(...decoded.problems)
    return undefined
  }
  return decoded.config
}

const checkParts = (
  parts: ReadonlyArray<PlacedPart>,
  stability: Stability,
  problems: Array<Problem>
): ReadonlyArray<Checked> => {
  const seen = new Map<string, number>()
  return parts.map((part) => {
    const { plugin } = part
    const name = part.name === undefined ? plugin.id : `${plugin.id}(${part.name})`
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    const before = problems.length
    const config = checkPart(part, stability, problems)
    const budgets = problems.length === before ? plugin.budgets(config as never) : {}
    return { part, name: times === 1 ? name : `${name}#${times}`, config, budgets }
  })
}

const whoProvides = (kind: AnyKind, known: ReadonlyArray<AnyPlugin>): string => {
  const ids = known.filter((plugin) => plugin.provides.some(({ id }) => id === kind.id)).map(({ id }) => id)
  return ids.length === 0 ? `add a plugin of kind ${kind.id}` : `add one of ${ids.join(", ")}`
}

const checkDoubled = (checked: ReadonlyArray<Checked>, problems: Array<Problem>): void => {
  const first = new Map<string, Checked>()
  for (const each of checked) {
    for (const { id, multiplicity } of each.part.plugin.provides) {
      if (multiplicity === "many") continue
      const other = first.get(id)
      if (other === undefined) first.set(id, each)
      else {
        problems.push({
          kind: "ambiguous-provider",
          where: each.part.where(),
          message: `${each.name} provides ${id}, and so does ${other.name} (${other.part.where()})`,
          remedy: "leave one of them out"
        })
      }
    }
  }
}

const providersOf = (checked: ReadonlyArray<Checked>, kind: AnyKind): ReadonlyArray<number> =>
  checked.flatMap(({ part }, index) => (part.plugin.provides.some(({ id }) => id === kind.id) ? [index] : []))

const checkBudgets = (checked: ReadonlyArray<Checked>, machine: Budgets, problems: Array<Problem>): void => {
  for (const name of budgetNames) {
    const granted = machine[name]
    if (granted === undefined) continue
    const shares = checked.filter(({ budgets }) => budgets[name] !== undefined)
    const sum = shares.reduce((total, { budgets }) => total + budgets[name]!, 0)
    if (sum <= granted) continue
    const arithmetic = shares.map((each) => `${each.name} ${each.budgets[name]}`).join(" + ")
    problems.push({
      kind: "budget",
      where: "the composition",
      message: `${name}: ${arithmetic} = ${sum}, this machine grants ${granted}`,
      remedy: "lower one of them, or grant more"
    })
  }
}

/** The graph of parts that fit, or all problems. */
export const resolve = (parts: ReadonlyArray<PlacedPart>, options: ResolveOptions = {}): Resolved => {
  const problems: Array<Problem> = []
  const checked = checkParts(parts, options.stability ?? "experimental", problems)
  checkDoubled(checked, problems)
  const missing = (kind: AnyKind, who: string, where: string): void =>
    void problems.push({
      kind: "missing-provider",
      where,
      message: `${who} needs ${kind.id}, and nothing provides it`,
      remedy: whoProvides(kind, options.known ?? [])
    })
  const edges = checked.map(({ name, part }): ReadonlyArray<GraphEdge> =>
    part.plugin.requires.map((kind) => {
      const providers = providersOf(checked, kind)
      if (providers.length === 0) missing(kind, name, part.where())
      return { kind, providers }
    })
  )
  for (const kind of options.needs ?? []) {
    if (providersOf(checked, kind).length === 0) missing(kind, "the program", "the composition")
  }
  const ordered = orderNodes(edges.map((each) => each.flatMap(({ providers }) => providers)))
  if ("cycle" in ordered) {
    problems.push({
      kind: "cycle",
      where: checked[ordered.cycle[0]!]!.part.where(),
      message: `parts need each other in a circle: ${ordered.cycle.map((at) => checked[at]!.name).join(" → ")}`,
      remedy: "split one of them"
    })
  }
  checkBudgets(checked, options.machine ?? {}, problems)
  if (problems.length > 0 || !("order" in ordered)) return { problems }
  const nodes = checked.map(({ budgets, config, name, part }, index): GraphNode => ({
    index,
    name,
    plugin: part.plugin,
    config,
    budgets,
    requires: edges[index]!
  }))
  return { graph: { nodes, order: ordered.order } }
}
