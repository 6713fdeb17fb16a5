/** A composition from a config text: the same values as in code, with line and column for everything that is wrong. */
import { didYouMean, shown } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import { type ConfigEntry, parseConfig, type ParseOptions } from "../codec/ConfigText.ts"
import type { Composition, PlacedPart } from "../contract/Composition.ts"
import type { AnyKind, IdentifiersOf } from "../contract/Kind.ts"
import type { AnyPlugin } from "../contract/Plugin.ts"
import { CompositionError, type Problem } from "../contract/Problem.ts"
import { resolve, type ResolveOptions } from "../engine/Resolve.ts"
import { withOverrides } from "../engine/WithOverrides.ts"
import { knownTo } from "./KnownTo.ts"

/** Where the text comes from, what the program needs, and its default parts. */
export interface FromConfigOptions<Needs extends ReadonlyArray<AnyKind>>
  extends Omit<ResolveOptions, "needs" | "known">
{
  /** Names the text in problems; plugins from outside are looked for from its folder. */
  readonly path: string
  /** Kinds that the program uses: each must be provided. */
  readonly needs: Needs
  /**
   * Parts that stand unless the text says otherwise, see `withOverrides`; the text need not have `plugins` then. `unknown`: there are such parts, but
   * what they are is not known (flags are wrong), so that nothing can be said to be missing.
   */
  readonly defaults?: Composition<never> | "unknown"
  /**
   * Somebody else tells what is wrong with the keys beside `plugins`, as a command line does, whose commands have theirs there. Without it
   * they may be anything, but for one that looks like `plugins`.
   */
  readonly keysAreTold?: boolean
  /** What else is wrong with the parts that the text names: told in the same report. */
  readonly check?: (named: ReadonlyArray<PlacedPart>) => ReadonlyArray<Problem>
}

const idsOf = (plugins: ReadonlyArray<AnyPlugin>): ReadonlyArray<string> => plugins.map(({ id }) => id)

const lineAndColumn = /:(\d+):(\d+)$/

const position = ({ where }: Problem): readonly [number, number] => {
  const found = lineAndColumn.exec(where)
  return found === null ? [Number.POSITIVE_INFINITY, 0] : [Number(found[1]), Number(found[2])]
}

/** By line and column; what concerns the whole composition comes last. */
const inTextOrder = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> => {
  return problems.toSorted((a, b) => {
    const [aLine, aColumn] = position(a)
    const [bLine, bColumn] = position(b)
    return aLine === bLine ? aColumn - bColumn : aLine - bLine
  })
}

const unknownPlugin = ({ from, id, place }: ConfigEntry, known: ReadonlyArray<AnyPlugin>): Problem => {
  const ids = idsOf(known)
  const who = from === undefined ? "there is" : `${from} has`
  return {
    kind: "unknown-plugin",
    where: place,
    message: `${who} no plugin ${shown(id)}${didYouMean(id, ids)}`,
    remedy: `plugins are ${ids.join(", ")}`
  }
}

/** What the text names, as far as it can be had. */
const readParts = Effect.fnUntraced(function*(
  registry: ReadonlyArray<AnyPlugin>,
  text: string,
  path: string,
  options: ParseOptions
) {
  const parsed = parseConfig(path, text, options)
  const problems: Array<Problem> = [...parsed.problems]
  const parts: Array<PlacedPart> = []
  let hasLost = parsed.hasLost
  for (const entry of parsed.entries) {
    const known = yield* knownTo(entry, registry, path)
    if ("where" in known) {
      problems.push(known)
      hasLost = true
      continue
    }
    const plugin = known.find(({ id }) => id === entry.id)
    if (plugin === undefined) {
      problems.push(unknownPlugin(entry, known))
      hasLost = true
      continue
    }
    const where = (at?: ReadonlyArray<PropertyKey>): string => at === undefined ? entry.place : entry.placeOf(at)
    parts.push({ plugin, config: entry.config, name: entry.as, where })
  }
  return { parts, problems, hasLost }
})

/** Fails with every problem of text, plugins and composition at once; nothing is started. */
export const fromConfig = Effect.fnUntraced(function*<const Needs extends ReadonlyArray<AnyKind>>(
  registry: ReadonlyArray<AnyPlugin>,
  text: string,
  options: FromConfigOptions<Needs>
) {
  const { check, defaults, keysAreTold = false, path, ...resolveOptions } = options
  const mayBeAbsent = defaults !== undefined
  const { hasLost, parts, problems } = yield* readParts(registry, text, path, { mayBeAbsent, keysAreTold })
  const named: Composition<IdentifiersOf<Needs>> = { parts }
  const composition = defaults === undefined || defaults === "unknown"
    ? named
    : withOverrides(defaults as Composition<IdentifiersOf<Needs>>, named)
  const resolved = resolve(composition.parts, { ...resolveOptions, known: registry })
  // A provider that cannot be read, is unknown or cannot be loaded would be missed a second time; a default part may have what is missing.
  const untold: ReadonlyArray<Problem["kind"]> = defaults === "unknown"
    ? ["missing-provider", "missing-key"]
    : hasLost
    ? ["missing-provider"]
    : []
  const found = "problems" in resolved ? resolved.problems.filter(({ kind }) => !untold.includes(kind)) : []
  const all = [...problems, ...found, ...(check?.(parts) ?? [])]
  if (all.length > 0) return yield* new CompositionError({ problems: inTextOrder(all) })
  return composition
})
