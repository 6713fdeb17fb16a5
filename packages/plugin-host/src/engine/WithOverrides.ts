/** A composition of defaults in which others take the place of some parts: what flags make, and what a config file says instead. */
import type { Composition, PlacedPart } from "../contract/Composition.ts"

const providesAny = (part: PlacedPart, kinds: ReadonlySet<string>): boolean =>
  part.plugin.provides.some(({ id }) => kinds.has(id))

const kindsOf = (part: PlacedPart): ReadonlySet<string> => new Set(part.plugin.provides.map(({ id }) => id))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Of the same plugin, the keys that are given lie over those of the default. */
const laidOver = (part: PlacedPart, original: PlacedPart | undefined): PlacedPart =>
  original?.plugin.id === part.plugin.id && isRecord(original.config) && isRecord(part.config)
    ? { ...part, config: { ...original.config, ...part.config } }
    : part

/**
 * `overrides` replace every default that provides a kind which they provide, in its place; what replaces nothing is added at the end. An
 * override of the plugin that it replaces keeps the default's config for the keys that it does not give.
 */
export const withOverrides = <Provided>(
  defaults: Composition<Provided>,
  overrides: Composition<never>
): Composition<Provided> => {
  const given = new Set(overrides.parts.flatMap((part) => [...kindsOf(part)]))
  const waiting = [...overrides.parts]
  const parts: Array<PlacedPart> = []
  for (const original of defaults.parts) {
    if (!providesAny(original, given)) {
      parts.push(original)
      continue
    }
    const kinds = kindsOf(original)
    for (const part of waiting.filter((each) => providesAny(each, kinds))) {
      parts.push(laidOver(part, original))
      waiting.splice(waiting.indexOf(part), 1)
    }
  }
  return { parts: [...parts, ...waiting] }
}
