/**
 * The subject of the plugin kit: a plugin, a config that is good, who provides what it requires, and what it holds open. Its runtime is watched: what it
 * says, declares and leaves to be drained.
 */
import { CheckFailed } from "@peerstrap/conformance"
import type { Wait } from "@peerstrap/progress"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type HostOptions, start } from "../adapter/Host.ts"
import { wordsOf } from "../adapter/Running.ts"
import type { Composition, PlacedPart } from "../contract/Composition.ts"
import type { AnyPart, AnyPlugin } from "../contract/Plugin.ts"
import { PluginRuntime } from "../contract/PluginRuntime.ts"

export interface CheckedPluginShape {
  readonly plugin: AnyPlugin
  /** As under `with` in a file: good as it is, keys that are required and some more. */
  readonly config: unknown
  /** Parts that provide what the plugin requires. Default: none. */
  readonly providers: ReadonlyArray<AnyPart>
  /** Each live setting that the plugin declares with a value to set, as in a file; other than the first one. */
  readonly settings: Readonly<Record<string, unknown>>
  /** What the plugin holds open now; capability `counts-handles`. */
  readonly handles: Effect.Effect<number> | undefined
  /** Bounds of the host on draining and stopping. Default: its own. Mutants that do not end are given up sooner. */
  readonly bounds: Pick<HostOptions, "drainMillis" | "stopMillis">
}

export class CheckedPlugin extends Context.Service<CheckedPlugin, CheckedPluginShape>()(
  "@peerstrap/plugin-host/testing/CheckedPlugin"
) {}

type Phase = "starting" | "running" | "stopped"

/** What a plugin did with its runtime, and what its layer gave. */
export class Observed {
  phase: Phase = "starting"
  /** All that it had put into its scope was closed. */
  isClosed = false
  readonly reports: Array<{ readonly phase: Phase; readonly status: string; readonly message: string }> = []
  /** Whatever came after the stop. */
  readonly late: Array<string> = []
  readonly drains = { declared: 0, ended: 0 }
  readonly settings: Array<string> = []
  waits: () => ReadonlyArray<Wait> = () => []
  provided: ReadonlyMap<string, unknown> = new Map()

  said(what: string): void {
    if (this.phase === "stopped") this.late.push(what)
  }

  watched(inner: PluginRuntime["Service"]): PluginRuntime["Service"] {
    return {
      ...inner,
      report: (status, message = "") => {
        this.said(`report ${status}`)
        this.reports.push({ phase: this.phase, status, message })
        inner.report(status, message)
      },
      event: (name, fields, text) => {
        this.said(`event ${name}`)
        inner.event(name, fields, text)
      },
      progress: (activity, done, total) => {
        this.said(`progress of ${activity}`)
        inner.progress(activity, done, total)
      },
      onWhy: (waits) => {
        this.waits = waits
        inner.onWhy(waits)
      },
      live: (setting, live) => {
        this.settings.push(setting)
        inner.live(setting, live)
      },
      onDrain: (drain) => {
        this.drains.declared++
        inner.onDrain(Effect.tap(drain, () => Effect.sync(() => void this.drains.ended++)))
      }
    }
  }
}

const observedPlugin = (plugin: AnyPlugin, observed: Observed): AnyPlugin => ({
  ...plugin,
  layer: (config) => {
    const runtime = Layer.effect(PluginRuntime, Effect.map(PluginRuntime, (inner) => observed.watched(inner)))
    const noteEnd = Effect.addFinalizer(() => Effect.sync(() => void (observed.isClosed = true)))
    const given = Effect.tap(
      Effect.andThen(noteEnd, Layer.build(Layer.provide(plugin.layer(config), runtime))),
      (context) =>
        Effect.sync(() => {
          observed.provided = (context as Context.Context<unknown>).mapUnsafe
        })
    )
    return Layer.effectContext(given) as Layer.Layer<never, unknown, never>
  }
})

/** A part whose problems are told by the names of its keys. */
export const placed = (plugin: AnyPlugin, config: unknown): PlacedPart => ({
  plugin,
  config,
  where: (path = []) => ["config", ...path].map(String).join(".")
})

const composed = ({ config, plugin, providers }: CheckedPluginShape): Composition<never> => ({
  parts: [...providers.map((part) => placed(part.plugin, part.config)), placed(plugin, config)]
})

/** Starts the plugin with its providers in the surrounding scope. */
export const startObserved = Effect.fnUntraced(function*(subject: CheckedPluginShape) {
  const observed = new Observed()
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      observed.phase = "stopped"
    })
  )
  const host = yield* start(composed({ ...subject, plugin: observedPlugin(subject.plugin, observed) }), subject.bounds)
  observed.phase = "running"
  const row = host.statuses().findLast(({ id }) => id === subject.plugin.id || id.startsWith(`${subject.plugin.id}#`))
  return { host, observed, status: () => row && host.statuses().find(({ id }) => id === row.id) }
})

/** What a plugin answers; one that throws has not. */
export const answered = <A>(what: string, ask: () => A): Effect.Effect<A, CheckFailed> =>
  Effect.try({ try: ask, catch: (error) => new CheckFailed({ message: `${what}: ${wordsOf(error)}` }) })
