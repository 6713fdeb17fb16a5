/**
 * Whether a program's table of flags and parts is true: each flag is given another value, and the parts are compared with those before. So the
 * table cannot fall behind the list of parts.
 */
import { type Flag, flagName, type Flags } from "@peerstrap/command-line"
import { isDeepStrictEqual } from "node:util"
import type { Composition, PlacedPart } from "../contract/Composition.ts"
import type { FlagTarget, FlagTargets } from "../contract/FlagTarget.ts"

/** A command's flags, its table, and how it makes parts. */
export interface FlagTargetCase<S extends object> {
  readonly flags: Flags
  readonly targets: FlagTargets
  /** Flags that parts hear, and the program itself as well: they never do nothing. */
  readonly alsoElsewhere: ReadonlyArray<string>
  /** Flags that no part hears. */
  readonly noPart: ReadonlyArray<string>
  /** Settings in which each flag is changed, one at a time; several, where a part hears a flag only beside another. */
  readonly settings: ReadonlyArray<S>
  readonly partsOf: (settings: S) => Composition<never>
}

/** Texts, one of which most kinds of flags take: the first that is another value counts. */
const anyTexts = ["true", "false", "7", "1GiB", "33s"]

const otherValue = ({ repeatable, type }: Flag<unknown>, now: unknown): unknown => {
  for (const text of [type.example, ...type.placeholder.split("|"), ...anyTexts]) {
    const value = type.parse(text)
    const other = repeatable ? [value] : value
    if (value !== undefined && !isDeepStrictEqual(other, now)) return other
  }
  return undefined
}

const keysOf = ({ config }: PlacedPart): Readonly<Record<string, unknown>> =>
  config as Readonly<Record<string, unknown>>

/** What one change made different: `KIND`, where the plugin is another one, else `PLUGIN.key`. */
const differences = (before: Composition<never>, after: Composition<never>): ReadonlyArray<string> =>
  before.parts.flatMap((part, at) => {
    const other = after.parts[at]
    if (other === undefined || other.plugin.id !== part.plugin.id) return [part.plugin.provides[0]!.id]
    const keys = new Set([...Object.keys(keysOf(part)), ...Object.keys(keysOf(other))])
    return [...keys]
      .filter((key) => !isDeepStrictEqual(keysOf(part)[key], keysOf(other)[key]))
      .map((key) => `${part.plugin.id}.${key}`)
  })

/** What the table says in the same words. A key of one plugin of a kind may also decide that it is that plugin. */
const saidBy = (target: FlagTarget) =>
  "chooses" in target
    ? { keys: [], kinds: Object.values(target.chooses).map(({ provides }) => provides[0]!.id) }
    : {
      keys: target.map(({ key, plugin }) => `${plugin.id}.${key}`),
      kinds: target.map(({ plugin }) => plugin.provides[0]!.id)
    }

const targetProblems = (flag: string, target: FlagTarget, seen: ReadonlySet<string>): ReadonlyArray<string> => {
  const { keys, kinds } = saidBy(target)
  return [
    ...[...seen].filter((one) => ![...keys, ...kinds].includes(one)).map((one) =>
      `--${flag} changes ${one}, which is not in its row`
    ),
    ...("chooses" in target ? [...new Set(kinds)] : keys).filter((one) => !seen.has(one)).map((one) =>
      `--${flag} does not change ${one}, which its row names`
    )
  ]
}

/** Everything in which table, lists and parts differ, in words; empty when the table is true. */
export const flagTargetProblems = <S extends object>(
  { alsoElsewhere, flags, noPart, partsOf, settings, targets }: FlagTargetCase<S>
): ReadonlyArray<string> => {
  const rows = [...Object.keys(targets), ...alsoElsewhere, ...noPart]
  const unknown = rows.filter((row) => !Object.hasOwn(flags, row)).map((row) => `${row} is no flag`)
  const twice = rows.filter((row, at) => rows.indexOf(row) !== at).map((row) => `${row} stands twice`)
  return [
    ...unknown,
    ...twice,
    ...Object.entries(flags).flatMap(([key, flag]) => {
      const name = flagName(key)
      const seen = new Set(settings.flatMap((base) => {
        const value = otherValue(flag, base[key as keyof S])
        return value === undefined ? [] : differences(partsOf(base), partsOf({ ...base, [key]: value }))
      }))
      const target = Object.hasOwn(targets, key) ? targets[key] : undefined
      if (target !== undefined) return targetProblems(name, target, seen)
      const heard = [...seen].join(", ")
      if (alsoElsewhere.includes(key)) return heard === "" ? [`--${name} changes no part`] : []
      if (!noPart.includes(key)) return [`--${name} is in no list; it changes ${heard || "no part"}`]
      return heard === "" ? [] : [`--${name} changes ${heard}, and has no row`]
    })
  ]
}
