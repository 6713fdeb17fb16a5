/** What an entry of a config may name: the plugins that the program knows, or those of the module it comes from. */
import { shown } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import type { ConfigEntry } from "../codec/ConfigText.ts"
import { type AnyPlugin, hostCopy } from "../contract/Plugin.ts"
import type { Problem } from "../contract/Problem.ts"
import { loadPlugins } from "./LoadPlugins.ts"

/** The plugins among which an entry's id is looked for, or why its module gives none. */
export const knownTo = Effect.fnUntraced(function*(
  { from, fromPlace }: ConfigEntry,
  registry: ReadonlyArray<AnyPlugin>,
  path: string
) {
  if (from === undefined) return registry
  const loaded = yield* loadPlugins(from, path)
  const problem = (kind: Problem["kind"], message: string, remedy: string): Problem => ({
    kind,
    where: fromPlace,
    message,
    remedy
  })
  if ("failure" in loaded) {
    return problem("cannot-load", `cannot load ${shown(from).slice(1, -1)}: ${loaded.failure}`, loaded.remedy)
  }
  if (loaded.plugins.some((plugin) => plugin["~copy"] !== hostCopy)) {
    const message = `${from} was made with another copy of @peerstrap/plugin-host than this program runs`
    return problem(
      "other-copy",
      message,
      "install program and plugin in one project, so that they share their packages"
    )
  }
  return loaded.plugins.length === 0
    ? problem("not-a-plugin", `${from} exports no plugin`, "export what definePlugin makes")
    : loaded.plugins
})
