/** A composition from a config text: the same values as in code, with line and column for everything that is wrong. */
import { didYouMean, shown } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import { parseConfig } from "../codec/ConfigText.ts"
import type { Composition, PlacedPart } from "../contract/Composition.ts"
import type { AnyKind, IdentifiersOf } from "../contract/Kind.ts"
import type { AnyPlugin } from "../contract/Plugin.ts"
import { CompositionError, type Problem } from "../contract/Problem.ts"
import { resolve, type ResolveOptions } from "../engine/Resolve.ts"
import { loadPlugins } from "./LoadPlugins.ts"

export interface FromConfigOptions<Needs extends ReadonlyArray<AnyKind>>
  extends Omit<ResolveOptions, "needs" | "known">
{
  /** Names the text in problems; plugins from outside are looked for from its folder. */
  readonly path: string
  /** Kinds that the program uses: each must be provided. */
  readonly needs: Needs
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

/** Fails with every problem of text, plugins and composition at once; nothing is started. */
export const fromConfig = Effect.fnUntraced(function*<const Needs extends ReadonlyArray<AnyKind>>(
  registry: ReadonlyArray<AnyPlugin>,
  text: string,
  options: FromConfigOptions<Needs>
) {
  const parsed = parseConfig(options.path, text)
  const problems: Array<Problem> = [...parsed.problems]
  const parts: Array<PlacedPart> = []
  for (const entry of parsed.entries) {
    let known = registry
    if (entry.from !== undefined) {
      const loaded = yield* loadPlugins(entry.from, options.path)
      if ("failure" in loaded) {
        const message = `cannot load ${entry.from}: ${loaded.failure}`
        problems.push({ kind: "cannot-load", where: entry.fromPlace, message, remedy: "install it, or mend the path" })
        continue
      }
      if (loaded.plugins.length === 0) {
        const message = `${entry.from} exports no plugin`
        problems.push({
          kind: "not-a-plugin",
          where: entry.fromPlace,
          message,
          remedy: "export what definePlugin makes"
        })
        continue
      }
      known = loaded.plugins
    }
    const plugin = known.find(({ id }) => id === entry.id)
    if (plugin === undefined) {
      const who = entry.from === undefined ? "there is" : `${entry.from} has`
      const message = `${who} no plugin ${shown(entry.id)}${didYouMean(entry.id, idsOf(known))}`
      problems.push({
        kind: "unknown-plugin",
        where: entry.place,
        message,
        remedy: `plugins are ${idsOf(known).join(", ")}`
      })
      continue
    }
    const where = (path: ReadonlyArray<PropertyKey> = []): string =>
      path.length === 0 ? entry.place : entry.placeOf(path)
    parts.push({ plugin, config: entry.config, where })
  }
  const { path: _, ...resolveOptions } = options
  // A provider that is unknown or cannot be loaded would be missed a second time.
  const resolved = resolve(parts, { ...resolveOptions, known: registry })
  const isConsequence = (problem: Problem): boolean => problems.length > 0 && problem.kind === "missing-provider"
  if ("problems" in resolved) problems.push(...resolved.problems.filter((problem) => !isConsequence(problem)))
  if (problems.length > 0) return yield* new CompositionError({ problems: inTextOrder(problems) })
  const composition: Composition<IdentifiersOf<Needs>> = { parts }
  return composition
})
