/**
 * Flags that were given and say nothing to anyone, because a part of the config file stands in the place of the one that they describe, or
 * says the same key itself. Told, not overruled: neither the line nor the file is more what was meant.
 */
import type { GivenFlags } from "@peerstrap/command-line"
import type { Composition, PlacedPart } from "../contract/Composition.ts"
import type { FedKey, FlagTarget, FlagTargets } from "../contract/FlagTarget.ts"
import type { AnyPlugin } from "../contract/Plugin.ts"
import type { Problem } from "../contract/Problem.ts"

/** What is known when a config file is laid over the parts of flags. */
export interface GivenToParts {
  readonly targets: FlagTargets
  readonly given: GivenFlags
  /** By key of the flag; wrong ones are absent. */
  readonly settings: Readonly<Record<string, unknown>>
  /** What flags make; undefined when they are wrong. */
  readonly defaults: Composition<never> | undefined
}

const isOneOfKind = (plugin: AnyPlugin, others: ReadonlyArray<AnyPlugin>): boolean =>
  plugin.provides.some(({ id }) => others.some(({ provides }) => provides.some((kind) => kind.id === id)))

const gives = ({ config }: PlacedPart, key: string): boolean =>
  typeof config === "object" && config !== null && key in config

const inItsPlace = ({ plugin, where }: PlacedPart): string => `${plugin.id} at ${where()} stands in its place`

/** Why no part hears the choice; undefined when the chosen plugin is there. */
const vainChoice = (plugins: Readonly<Record<string, AnyPlugin>>, value: unknown, named: ReadonlyArray<PlacedPart>) => {
  const chosen = typeof value === "string" && Object.hasOwn(plugins, value) ? plugins[value] : undefined
  const others = named.filter(({ plugin }) => isOneOfKind(plugin, Object.values(plugins)))
  if (chosen === undefined || others.length === 0 || others.some(({ plugin }) => plugin.id === chosen.id)) {
    return undefined
  }
  return `chooses ${chosen.id}, and ${inItsPlace(others[0]!)}`
}

/** Why no part hears the value; undefined when one takes it. */
const vainKey = (
  keys: ReadonlyArray<FedKey>,
  named: ReadonlyArray<PlacedPart>,
  defaults: Composition<never> | undefined
) => {
  const plugins = keys.map(({ plugin }) => plugin)
  const others = named.filter(({ plugin }) => isOneOfKind(plugin, plugins))
  const [first] = others
  if (first === undefined) return undefined
  const made = defaults?.parts.find(({ plugin }) => isOneOfKind(plugin, plugins))?.plugin
  // Keys that are not given come from the default only when that is the same plugin.
  const kept = (part: PlacedPart): FedKey | undefined =>
    made === undefined || made.id === part.plugin.id
      ? keys.find(({ plugin }) => plugin.id === part.plugin.id)
      : undefined
  if (others.some((part) => kept(part) !== undefined && !gives(part, kept(part)!.key))) return undefined
  const same = kept(first)
  return same === undefined
    ? `is about ${(made ?? plugins[0]!).id}, and ${inItsPlace(first)}`
    : `gives ${same.key} of ${same.plugin.id}, and so does ${first.where([same.key])}`
}

const whyInVain = (
  target: FlagTarget,
  value: unknown,
  named: ReadonlyArray<PlacedPart>,
  made: GivenToParts["defaults"]
) => "chooses" in target ? vainChoice(target.chooses, value, named) : vainKey(target, named, made)

/** A problem for every place in which such a flag was given. `named`: the parts of the config file. */
export const flagsInVain = (
  { defaults, given, settings, targets }: GivenToParts,
  named: ReadonlyArray<PlacedPart>
): ReadonlyArray<Problem> =>
  [...given].flatMap(([flag, places]) => {
    const target = Object.hasOwn(targets, flag) ? targets[flag] : undefined
    const message = target === undefined ? undefined : whyInVain(target, settings[flag], named, defaults)
    return message === undefined ? [] : places.map((where): Problem => ({
      kind: "flag-in-vain",
      where,
      message,
      remedy: "leave one of the two out"
    }))
  })
