/**
 * Runs a composition: resolve → validate → plan → provision → run → drain → stop. Each plugin has a scope of its own, so that they stop
 * one by one in reverse order, each within a bound.
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Composition } from "../contract/Composition.ts"
import type { PluginFatalError, PluginStartError } from "../contract/HostErrors.ts"
import { CompositionError } from "../contract/Problem.ts"
import type { PluginStatus } from "../contract/Status.ts"
import type { EdgeCounts } from "../engine/EdgeMeter.ts"
import type { Graph } from "../engine/Graph.ts"
import { resolve, type ResolveOptions } from "../engine/Resolve.ts"
import type { WhyChain } from "../engine/WhyChains.ts"
import { drain, stop } from "./Ending.ts"
import type { HostOptions } from "./HostOptions.ts"
import type { LiveSettings } from "./LiveSettings.ts"
import { provisionAll } from "./Provision.ts"
import { Running } from "./Running.ts"

export type { HostOptions, PluginEvent, PluginProgress } from "./HostOptions.ts"

/** A composition that runs: its services, statuses, edges and settings. */
export interface RunningHost<Provided> {
  readonly graph: Graph
  /** The services, metered as the program's own edges. */
  readonly context: Context.Context<Provided>
  readonly statuses: () => ReadonlyArray<PluginStatus>
  readonly edges: () => ReadonlyArray<EdgeCounts>
  readonly why: () => ReadonlyArray<WhyChain>
  /** What can change while the composition runs, how to change it, and what was changed. */
  readonly settings: Pick<LiveSettings, "rows" | "audit" | "change">
  /** Fails when a plugin reports `fatal`, dies when a listener has thrown; never succeeds. */
  readonly fatal: Effect.Effect<never, PluginFatalError>
}

/** Resolves a composition without starting anything. */
export const plan = <Provided>(
  composition: Composition<Provided>,
  options: ResolveOptions = {}
): Effect.Effect<Graph, CompositionError> => {
  const resolved = resolve(composition.parts, options)
  return "graph" in resolved
    ? Effect.succeed(resolved.graph)
    : Effect.fail(new CompositionError({ problems: resolved.problems }))
}

/** Starts a composition in the surrounding scope; closing it drains and stops every plugin in reverse order. */
export const start = Effect.fnUntraced(function*<Provided>(
  composition: Composition<Provided>,
  options: HostOptions = {}
) {
  const graph = yield* plan(composition, options)
  const running = new Running(graph, options, yield* Clock.Clock)
  yield* Effect.addFinalizer(() => drain(running).pipe(Effect.andThen(stop(running)), Effect.andThen(running.confess)))
  yield* provisionAll(running)
  const host: RunningHost<Provided> = {
    graph,
    context: running.programContext() as Context.Context<Provided>,
    statuses: () => running.board.all,
    edges: () => running.meter.all,
    why: () => running.why(),
    settings: running.settings,
    fatal: running.fatal
  }
  return host
})

/**
 * A composition as a layer, for code that takes one: it starts when the layer is built and stops with its scope. A plugin that reports `fatal` once
 * all have started is heard of through `onStatus` only; `run` ends the program.
 */
export const layer = <Provided>(
  composition: Composition<Provided>,
  options: HostOptions = {}
): Layer.Layer<Provided, CompositionError | PluginStartError> =>
  Layer.effectContext(Effect.map(start(composition, options), ({ context }) => context))

/** Runs a program on a composition: until the program ends, or a plugin reports `fatal`. */
export const run = <Provided, A, E, R>(
  composition: Composition<Provided>,
  use: (host: RunningHost<Provided>) => Effect.Effect<A, E, R>,
  options: HostOptions = {}
): Effect.Effect<A, E | CompositionError | PluginStartError | PluginFatalError, Exclude<R, Provided>> =>
  Effect.scoped(
    Effect.flatMap(start(composition, options), (host) =>
      Effect.raceFirst(Effect.provideContext(use(host), host.context), host.fatal))
  )
