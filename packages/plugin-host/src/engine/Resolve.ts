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
  // A plugin from a file was asked whose copy it is; one that is composed in code may come from a copy of another version.
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

/** A plugin from outside may throw, or answer with what is no budget: that must not hide the other problems, nor pass for room. */
const budgetsOf = ({ plugin, where }: PlacedPart, config: unknown, problems: Array<Problem>): Budgets => {
  const wrong = (message: string): Budgets => {
    problems.push({ kind: "budget", where: where(), message, remedy: `tell whoever made ${plugin.id}` })
    return {}
  }
  let budgets: Budgets
  try {
    budgets = { ...plugin.budgets(config as never) }
  } catch (error) {
    return wrong(`${plugin.id} cannot say what it needs: ${error instanceof Error ? error.message : String(error)}`)
  }
  const name = budgetNames.find((each) => {
    const value: unknown = budgets[each]
    return value !== undefined && !(typeof value === "number" && value >= 0 && Number.isFinite(value))
  })
  return name === undefined ? budgets : wrong(`${plugin.id}: ${name} = ${budgets[name]}, want a number from 0 up`)
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
    const budgets = problems.length === before ? budgetsOf(part, config, problems) : {}
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

const kindWords = ({ multiplicity, tag }: AnyKind): string => `${tag.key}, ${multiplicity}`

/** Kinds are told apart by id: two that share one must be the same, or who requires one would get the other. */
const checkKinds = (checked: ReadonlyArray<Checked>, needs: ReadonlyArray<AnyKind>, problems: Array<Problem>): void => {
  const first = new Map(needs.map((kind) => [kind.id, { kind, who: "the program" }]))
  for (const { name, part } of checked) {
    for (const kind of [...part.plugin.provides, ...part.plugin.requires]) {
      const other = first.get(kind.id)
      if (other === undefined) first.set(kind.id, { kind, who: name })
      else if (other.kind.tag.key !== kind.tag.key || other.kind.multiplicity !== kind.multiplicity) {
        const [mine, theirs] = [kindWords(kind), kindWords(other.kind)]
        problems.push({
          kind: "kind-mismatch",
          where: part.where(),
          message: `${kind.id} of ${name} (${mine}) is not the ${kind.id} of ${other.who} (${theirs})`,
          remedy: "import the kind from where it is defined, or give one of them another id"
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
  checkKinds(checked, options.needs ?? [], problems)
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
  for (const cycle of "cycles" in ordered ? ordered.cycles : []) {
    problems.push({
      kind: "cycle",
      where: checked[cycle[0]!]!.part.where(),
      message: `parts need each other in a circle: ${cycle.map((at) => checked[at]!.name).join(" → ")}`,
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
