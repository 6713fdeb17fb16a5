/** The conformance kit of plugins: checks, and the mutants that they reject. */
import { type Kit, suiteOf, type SuiteOptions, type SuitePlan } from "@peerstrap/conformance"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AnyPart, AnyPlugin } from "../contract/Plugin.ts"
import { CheckedPlugin } from "./CheckedPlugin.ts"
import { type PluginCapability, pluginConfigChecks } from "./PluginConfigChecks.ts"
import { pluginMutants } from "./PluginMutants.ts"
import { pluginRunChecks } from "./PluginRunChecks.ts"

/** The kit of plugins. */
export const pluginKit: Kit<CheckedPlugin, PluginCapability> = {
  contract: "Plugin",
  capabilities: {
    "counts-handles": "what the plugin holds open (sockets, files, processes) can be counted"
  },
  checks: [...pluginConfigChecks, ...pluginRunChecks],
  mutants: pluginMutants
}

/** What a plugin is checked with; `config` as under `with` in a file. */
export interface PluginSubject {
  readonly config?: unknown
  /** Parts that provide what the plugin requires. */
  readonly providers?: ReadonlyArray<AnyPart>
  /** A value for each live setting that it declares, as in a file; other than the first one. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** What it holds open now; capability `counts-handles`. */
  readonly handles?: Effect.Effect<number>
}

/** A plugin as the kit wants it. */
export const checkedPlugin = (plugin: AnyPlugin, subject: PluginSubject = {}): Layer.Layer<CheckedPlugin> =>
  Layer.succeed(CheckedPlugin, {
    plugin,
    config: subject.config ?? {},
    providers: subject.providers ?? [],
    settings: subject.settings ?? {},
    handles: subject.handles,
    bounds: {}
  })

/**
 * Registers a test for each check that the capabilities allow:
 * `pluginSuite(fileStore, { config: { directory }, providers: [nodeFiles({})], capabilities: { "counts-handles": false }, test: it })`.
 */
export const pluginSuite = (
  plugin: AnyPlugin,
  { capabilities, run, test, ...subject }: PluginSubject & SuiteOptions<PluginCapability>
): SuitePlan =>
  suiteOf(pluginKit)(`${plugin.id}:`, checkedPlugin(plugin, subject), {
    capabilities,
    test,
    ...(run === undefined ? {} : { run })
  })
