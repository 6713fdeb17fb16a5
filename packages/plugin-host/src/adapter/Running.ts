/** A composition that runs: what is known of each part, who uses whose services, and who hears of what happens. */
import type { Wait } from "@peerstrap/progress"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { PluginFatalError } from "../contract/HostErrors.ts"
import type { AnyKind } from "../contract/Kind.ts"
import { PluginRuntime } from "../contract/PluginRuntime.ts"
import { EdgeMeter } from "../engine/EdgeMeter.ts"
import { type Graph, type GraphNode, providersBelow } from "../engine/Graph.ts"
import { StatusBoard } from "../engine/StatusBoard.ts"
import { type WhyChain, whyChains } from "../engine/WhyChains.ts"
import type { HostOptions } from "./HostOptions.ts"
import { LiveSettings } from "./LiveSettings.ts"
import { meteredService } from "./MeteredService.ts"

/** What is known of one part while it runs. */
export interface LivePart {
  readonly node: GraphNode
  readonly scope: Scope.Closeable
  /** Service by kind, as its plugin's layer gave it. */
  readonly services: Map<string, unknown>
  readonly drains: Array<Effect.Effect<void>>
  /** Its layer on the way. */
  building: Fiber.Fiber<unknown, unknown> | undefined
  waits: () => ReadonlyArray<Wait>
  /** What went wrong while it drained. */
  drained: string
}

/** The words of whatever was thrown or failed with. */
export const wordsOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

export class Running {
  readonly graph: Graph
  readonly options: HostOptions
  readonly board: StatusBoard
  readonly meter: EdgeMeter
  readonly live = new Map<number, LivePart>()
  readonly settings: LiveSettings
  /** The first plugin that reported `fatal`. */
  gaveUp: PluginFatalError | undefined
  private readonly ended = Deferred.makeUnsafe<never, PluginFatalError>()
  /** What a listener threw first. */
  private thrown: { readonly error: unknown } | undefined
  private readonly clock: Clock.Clock

  constructor(graph: Graph, options: HostOptions, clock: Clock.Clock) {
    this.graph = graph
    this.options = options
    this.clock = clock
    this.meter = new EdgeMeter(providersBelow(graph))
    this.settings = new LiveSettings(() => this.now, (change) => this.tell(options.onChange, change))
    this.board = new StatusBoard(graph.nodes.map(({ name }) => name), this.now, (status) => {
      this.tell(options.onStatus, status)
      if (status.status !== "fatal" || this.gaveUp !== undefined) return
      this.gaveUp = new PluginFatalError({ plugin: status.id, message: status.message })
      // Whoever waits for this goes on at once, within the call of the plugin that reports.
      Deferred.doneUnsafe(this.ended, Effect.fail(this.gaveUp))
    })
  }

  get now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  /** Fails when a plugin has reported `fatal`, dies when a listener has thrown. */
  readonly fatal: Effect.Effect<never, PluginFatalError> = Effect.suspend(() => Deferred.await(this.ended))

  /** Dies of what a listener threw: also of what nobody waits for `fatal` any more. */
  readonly confess: Effect.Effect<void> = Effect.suspend(() =>
    this.thrown === undefined ? Effect.void : Effect.die(this.thrown.error)
  )

  /** What a listener throws must not reach the plugin that speaks, nor keep the host from stopping the others. */
  private tell<A>(listener: ((told: A) => void) | undefined, told: A): void {
    try {
      listener?.(told)
    } catch (error) {
      this.thrown ??= { error }
      Deferred.doneUnsafe(this.ended, Effect.die(error))
    }
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

  /** What a part's layer is built with: its runtime, and what it requires. */
  contextOf(live: LivePart): Context.Context<never> {
    const { index, name, requires } = live.node
    const runtime = Context.make(PluginRuntime, {
      id: name,
      report: (status, message = "") => void this.board.report(index, status, message, this.now),
      event: (event, fields, text) => this.tell(this.options.onEvent, { plugin: name, name: event, fields, text }),
      progress: (activity, done, total) => this.tell(this.options.onProgress, { plugin: name, activity, done, total }),
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

  /** All services, as the program itself sees them. */
  programContext(): Context.Context<unknown> {
    const { nodes } = this.graph
    let context: Context.Context<unknown> = Context.empty() as Context.Context<unknown>
    const kinds = new Map(nodes.flatMap(({ plugin }) => plugin.provides.map((kind) => [kind.id, kind])))
    for (const kind of kinds.values()) {
      const providers = nodes.flatMap(({ index, plugin }) =>
        plugin.provides.some(({ id }) => id === kind.id) ? [index] : []
      )
      context = Context.add(context, kind.tag, this.service(kind, "program", providers) as never)
    }
    return context
  }

  why(): ReadonlyArray<WhyChain> {
    return whyChains(this.graph, this.board.all, (node) => this.waitsOf(node))
  }

  /** A plugin that cannot say what it waits for is trouble, too, and must not hide that of others. */
  private waitsOf(node: number): ReadonlyArray<Wait> {
    const live = this.live.get(node)
    if (live === undefined) return []
    try {
      return [...live.waits()]
    } catch (error) {
      const { name } = live.node
      const cause = `it throws when it is asked: ${wordsOf(error)}`
      const remedy = `tell whoever made ${name}`
      return [{ subject: name, waitingFor: "cannot say what", cause, peers: [], remedy, sinceMillis: this.now }]
    }
  }
}
