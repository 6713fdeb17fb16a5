/** A small plugin that does all that a plugin can do, and counts what it holds open: the reference of the kit, and the body of its mutants. */
import { Type } from "@peerstrap/command-line"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { configDefault, configOptional, configValue } from "../contract/ConfigType.ts"
import { one } from "../contract/Kind.ts"
import { type AnyPlugin, definePlugin } from "../contract/Plugin.ts"
import { PluginRuntime } from "../contract/PluginRuntime.ts"
import type { CheckedPluginShape } from "./CheckedPlugin.ts"

/** Where lamps get their power from. */
export class Mains
  extends Context.Service<Mains, { readonly volts: number }>()("@peerstrap/plugin-host/testing/Mains")
{}

export class Lamp extends Context.Service<Lamp, { readonly shine: Effect.Effect<number> }>()(
  "@peerstrap/plugin-host/testing/Lamp"
) {}

const mainsKind = one("mains", Mains, { summary: "power", metered: false })
export const lampKind = one("lamp", Lamp, { summary: "light" })

const mains = definePlugin({
  id: "mains.socket",
  version: "1.0.0",
  stability: "stable",
  summary: "A socket in the wall.",
  provides: [mainsKind],
  requires: [],
  config: Schema.Struct({}),
  layer: () => Layer.succeed(Mains, { volts: 230 })
})

/** What is open in the world of one subject. */
export class Cables {
  open = 0
}

const colours = Type.oneOf(["warm", "cold"], "warm")
export const lampConfig = Schema.Struct({
  watts: configValue(Type.integer(1, 100, 40), "Power."),
  colour: configDefault(colours, "warm", "Of the light."),
  room: configOptional(Type.text("NAME", "a name", "hall"), "Where it stands.")
})

export type LampConfig = typeof lampConfig["Type"]

/** A cable that is plugged in in a few steps, and pulled with the scope. */
export const plugIn = (cables: Cables) =>
  Effect.acquireRelease(
    Effect.sync(() => void cables.open++),
    () => Effect.andThen(Effect.yieldNow, Effect.sync(() => void cables.open--))
  ).pipe(Effect.andThen(Effect.yieldNow))

export const startLamp = Effect.fnUntraced(function*(cables: Cables, { watts }: LampConfig) {
  const runtime = yield* PluginRuntime
  const { volts } = yield* Mains
  yield* plugIn(cables)
  let brightness = watts
  runtime.live("brightness", {
    summary: "how bright it is",
    schema: configValue(Type.integer(0, 100, 40), "The brightness."),
    current: () => brightness,
    apply: (next: number) => Effect.sync(() => void (brightness = next))
  })
  const wait = { subject: "lamp", waitingFor: "night", cause: "it is day", peers: [], remedy: "wait", sinceMillis: 0 }
  runtime.onWhy(() => [wait])
  runtime.onDrain(Effect.yieldNow)
  runtime.report("ok", `${volts} volts`)
  yield* Effect.forkScoped(
    Effect.forever(Effect.andThen(Effect.yieldNow, Effect.sync(() => runtime.progress("shining", brightness, 0))))
  )
  return Lamp.of({ shine: Effect.sync(() => brightness) })
})

export const lampPlugin = (cables: Cables) =>
  definePlugin({
    id: "lamp.bulb",
    version: "1.0.0",
    stability: "stable",
    summary: "A bulb.",
    provides: [lampKind],
    requires: [mainsKind],
    config: lampConfig,
    budgets: ({ watts }) => ({ memoryBytes: watts }),
    limits: { watts: { value: 100, reason: "it melts above that" } },
    layer: (config) => Layer.effect(Lamp, startLamp(cables, config))
  })

/** The lamp as the kit wants it, in a world of its own; `change` spoils it. */
export const lampSubject = (
  change: (plugin: AnyPlugin, cables: Cables) => AnyPlugin = (plugin) => plugin
): CheckedPluginShape => {
  const cables = new Cables()
  return {
    plugin: change(lampPlugin(cables), cables),
    config: { watts: 40, room: "hall" },
    providers: [mains({})],
    settings: { brightness: 7 },
    handles: Effect.sync(() => cables.open),
    bounds: { drainMillis: 10, stopMillis: 10 }
  }
}
