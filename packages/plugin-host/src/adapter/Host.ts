/**
 * Runs a composition: resolve → validate → plan → provision → run → drain → stop. Each plugin has a scope of its own, so that they stop
 * one by one in reverse order, each within a bound.
 */
import type { Wait } from "@peerstrap/progress"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Composition } from "../contract/Composition.ts"
import { PluginFatalError, PluginStartError } from "../contract/HostErrors.ts"
import type { AnyKind } from "../contract/Kind.ts"
import { hostLimits } from "../contract/Limits.ts"
import type { SettingChange } from "../contract/LiveSetting.ts"
import { PluginRuntime } from "../contract/PluginRuntime.ts"
import { CompositionError } from "../contract/Problem.ts"
import type { PluginStatus } from "../contract/Status.ts"
import { type EdgeCounts, EdgeMeter } from "../engine/EdgeMeter.ts"
import type { Graph, GraphNode } from "../engine/Graph.ts"
import { resolve, type ResolveOptions } from "../engine/Resolve.ts"
import { StatusBoard } from "../engine/StatusBoard.ts"
import { type WhyChain, whyChains } from "../engine/WhyChains.ts"
import { LiveSettings } from "./LiveSettings.ts"
import { meteredService } from "./MeteredService.ts"

/** Something that happened to a plugin, by a stable name. */
export interface PluginEvent {
  /** Name of the part. */
  readonly plugin: string
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly text: string | undefined
}

/** How far a plugin is with something. */
export interface PluginProgress {
  readonly plugin: string
  readonly activity: string
  readonly done: number
  /** 0 when it is not known. */
  readonly total: number
}

/** Bounds of starting, draining and stopping, ms, and who hears of what happens. */
export interface HostOptions extends ResolveOptions {
  /** Default `hostLimits.startMillis`. */
  readonly startMillis?: number
  /** Default `hostLimits.drainMillis`. */
  readonly drainMillis?: number
  /** Default `hostLimits.stopMillis`. */
  readonly stopMillis?: number
  /** Every change of a plugin's status. */
  readonly onStatus?: (status: PluginStatus) => void
  /** What plugins tell through `PluginRuntime.event`. */
  readonly onEvent?: (event: PluginEvent) => void
  /** What plugins tell through `PluginRuntime.progress`. */
  readonly onProgress?: (progress: PluginProgress) => void
  /** Every change of a live setting. */
  readonly onChange?: (change: SettingChange) => void
}

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
  /** Fails when a plugin reports `fatal`; never succeeds. */
  readonly fatal: Effect.Effect<never, PluginFatalError>
}

const program = "program"

class StartTimeout extends Data.TaggedError("StartTimeout")<{ readonly millis: number }> {
  override get message(): string {
    return `did not start within ${this.millis} ms`
  }
}

/** What is known of one node while it runs. */
interface Live {
  readonly node: GraphNode
  readonly scope: Scope.Closeable
  /** Service by kind, as its plugin's layer gave it. */
  readonly services: Map<string, unknown>
  readonly drains: Array<Effect.Effect<void>>
  /** Its layer on the way. */
  building: Fiber.Fiber<unknown, unknown> | undefined
  waits: () => ReadonlyArray<Wait>
}

class Running {
  readonly graph: Graph
  readonly board: StatusBoard
  readonly meter = new EdgeMeter()
  readonly fatal = Deferred.makeUnsafe<never, PluginFatalError>()
  readonly live = new Map<number, Live>()
  readonly settings: LiveSettings
  private readonly clock: Clock.Clock
  private readonly options: HostOptions

  constructor(graph: Graph, options: HostOptions, clock: Clock.Clock) {
    this.graph = graph
    this.options = options
    this.clock = clock
    this.settings = new LiveSettings(() => this.now, (change) => options.onChange?.(change))
    this.board = new StatusBoard(graph.nodes.map(({ name }) => name), this.now, (status) => {
      options.onStatus?.(status)
      if (status.status !== "fatal") return
      const error = new PluginFatalError({ plugin: status.id, message: status.message })
      Deferred.doneUnsafe(this.fatal, Effect.fail(error))
    })
  }

  get now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  /** The service of a kind as `from` sees it; of kind `many` all implementations in the order of the composition. */
  service(kind: AnyKind, from: string, providers: ReadonlyArray<number>): unknown {
    const seenBy = (provider: number, service: unknown): unknown =>
      kind.metered
        ? meteredService(service, this.meter, this.meter.edge(from, this.graph.nodes[provider]!.name, kind.id))
        : service
    const given = (provider: number): unknown => this.live.get(provider)!.services.get(kind.id)
    if (kind.multiplicity === "one") return seenBy(providers[0]!, given(providers[0]!))
    return providers.flatMap((provider) =>
      (given(provider) as ReadonlyArray<unknown>).map((one) => seenBy(provider, one))
    )
  }

  contextOf(live: Live): Context.Context<never> {
    const { index, name, requires } = live.node
    const runtime = Context.make(PluginRuntime, {
      id: name,
      report: (status, message = "") => void this.board.report(index, status, message, this.now),
      event: (event, fields, text) => this.options.onEvent?.({ plugin: name, name: event, fields, text }),
      progress: (activity, done, total) => this.options.onProgress?.({ plugin: name, activity, done, total }),
      onWhy: (waits) => {
        live.waits = waits
      },
      live: (setting, live) => this.settings.declare(name, setting, live),
      onDrain: (drain) => void live.drains.push(drain)
    })
    let context = runtime as Context.Context<never> as Context.Context<unknown>
    for (const { kind, providers } of requires) {
      context = Context.add(context, kind.tag, this.service(kind, name, providers) as never)
    }
    return context as Context.Context<never>
  }

  /** Starts one node. Its scope is known before anything in it is opened, so that an interrupted start is stopped, too. */
  readonly provision = Effect.fnUntraced(function*(this: Running, node: GraphNode) {
    const live: Live = {
      node,
      scope: yield* Scope.make(),
      services: new Map(),
      drains: [],
      building: undefined,
      waits: () => []
    }
    this.live.set(node.index, live)
    this.board.move(node.index, "starting", "starts", this.now)
    const startMillis = this.options.startMillis ?? hostLimits.startMillis
    const layer = Effect.suspend(() =>
      Layer.buildWithScope(
        Layer.provide(Layer.fresh(node.plugin.layer(node.config as never)), Layer.succeedContext(this.contextOf(live))),
        live.scope
      )
    )
    const failed = (message: string, cause: unknown) => {
      this.board.move(node.index, "permanent", message, this.now)
      return Effect.fail(new PluginStartError({ plugin: node.name, message: `${node.name}: ${message}`, cause }))
    }
    const building = yield* Effect.forkDetach(layer)
    live.building = building
    const context: Context.Context<never> = yield* Fiber.join(building).pipe(
      Effect.timeoutOrElse({
        duration: startMillis,
        orElse: () => Effect.fail(new StartTimeout({ millis: startMillis }))
      }),
      // What does not let itself be interrupted is waited for by `stop`, within its time.
      Effect.onExit(() => Effect.sync(() => building.interruptUnsafe())),
      Effect.catchCause((cause) => {
        if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
        const error = Cause.squash(cause)
        return failed(error instanceof Error ? error.message : String(error), error)
      })
    )
    for (const kind of node.plugin.provides) {
      live.services.set(kind.id, Context.getUnsafe(context as Context.Context<unknown>, kind.tag))
    }
    // What the plugin said of itself while it started stands.
    if (this.board.get(node.index).status === "starting") this.board.move(node.index, "ok", "", this.now)
  })

  /** Asks every plugin to finish what is under way, latest first, all within one bound. */
  readonly drain = Effect.fnUntraced(function*(this: Running) {
    const drains = this.graph.order.toReversed().flatMap((at) => this.live.get(at)?.drains ?? [])
    yield* Effect.forEach(drains, (drain) => Effect.ignoreCause(drain), { discard: true }).pipe(
      Effect.interruptible,
      Effect.timeoutOption(this.options.drainMillis ?? hostLimits.drainMillis)
    )
  })

  readonly stop = Effect.fnUntraced(function*(this: Running) {
    const stopMillis = this.options.stopMillis ?? hostLimits.stopMillis
    for (const at of this.graph.order.toReversed()) {
      const live = this.live.get(at)
      if (live === undefined) continue
      this.board.move(at, "stopping", "stops", this.now)
      const started = live.building === undefined ? Effect.void : Fiber.await(live.building)
      const closing = yield* Effect.forkDetach(Effect.andThen(started, Scope.close(live.scope, Exit.void)))
      const closed = yield* Fiber.await(closing).pipe(Effect.interruptible, Effect.timeoutOption(stopMillis))
      const message = closed._tag === "Some" ? "" : `did not stop within ${stopMillis} ms and was left behind`
      this.board.move(at, "stopped", message, this.now)
    }
  })
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
  const clock = yield* Clock.Clock
  const running = new Running(graph, options, clock)
  yield* Effect.addFinalizer(() => Effect.andThen(running.drain(), running.stop()))
  for (const at of graph.order) yield* running.provision(graph.nodes[at]!)
  let context: Context.Context<unknown> = Context.empty() as Context.Context<unknown>
  const kinds = new Map(graph.nodes.flatMap(({ plugin }) => plugin.provides.map((kind) => [kind.id, kind])))
  for (const kind of kinds.values()) {
    const providers = graph.nodes.flatMap(({ index, plugin }) =>
      plugin.provides.some(({ id }) => id === kind.id) ? [index] : []
    )
    context = Context.add(context, kind.tag, running.service(kind, program, providers) as never)
  }
  const host: RunningHost<Provided> = {
    graph,
    context: context as Context.Context<Provided>,
    statuses: () => running.board.all,
    edges: () => running.meter.all,
    why: () => whyChains(graph, running.board.all, (node) => running.live.get(node)?.waits() ?? []),
    settings: running.settings,
    fatal: Deferred.await(running.fatal)
  }
  return host
})

/**
 * A composition as a layer, for code that takes one: it starts when the layer is built and stops with its scope. A plugin that reports `fatal` is
 * heard of through `onStatus` only; `run` ends the program.
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
