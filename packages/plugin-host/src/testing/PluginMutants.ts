/** Lamps that are wrong in one way each; the kit rejects every one, for the reason that stands with it. */
import { Type } from "@peerstrap/command-line"
import { type Mutant, turns } from "@peerstrap/conformance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { configValue } from "../contract/ConfigType.ts"
import type { AnyPlugin, ConfigSchema } from "../contract/Plugin.ts"
import { PluginRuntime } from "../contract/PluginRuntime.ts"
import { CheckedPlugin } from "./CheckedPlugin.ts"
import { type Cables, lampConfig, lampKind, lampSubject } from "./LampPlugin.ts"

export type PluginMutant = Mutant<CheckedPlugin>

type Change = (plugin: AnyPlugin, cables: Cables) => AnyPlugin

const mutant = (name: string, rejectedBy: string, because: RegExp, change: Change): PluginMutant => ({
  name,
  rejectedBy,
  because,
  layer: Layer.sync(CheckedPlugin, () => lampSubject(change))
})

const facts = (changed: Partial<AnyPlugin>): Change => (plugin) => ({ ...plugin, ...changed })

const config = (schema: ConfigSchema): Change => facts({ config: schema })

/** Does something in the plugin's scope before it starts. */
const first = (step: (cables: Cables) => Effect.Effect<unknown, unknown, PluginRuntime | Scope.Scope>): Change => {
  return (plugin, cables) => ({
    ...plugin,
    layer: (decoded) =>
      Layer.effectContext(Effect.andThen(step(cables), Layer.build(plugin.layer(decoded)))) as Layer.Layer<
        never,
        unknown,
        never
      >
  })
}

/** Closing never ends, once it has started. */
const endless: Change = (plugin) => ({
  ...plugin,
  layer: (decoded) =>
    Layer.effectContext(
      Effect.tap(Layer.build(plugin.layer(decoded)), () => Effect.addFinalizer(() => Effect.never))
    ) as Layer.Layer<never, unknown, never>
})

const runtime = (use: (runtime: PluginRuntime["Service"]) => void): Change =>
  first(() => PluginRuntime.use((one) => Effect.sync(() => use(one))))

const identity = "says who it is"
const budgets = "has limits with a reason, and budgets that are finite and not negative"

const sayings: ReadonlyArray<PluginMutant> = [
  mutant("has the id of another kind", identity, /the id light\.bulb is "lamp\."/, facts({ id: "light.bulb" })),
  mutant("has a name for a version", identity, /latest is a version like 1\.2\.3/, facts({ version: "latest" })),
  mutant("was written for another host", identity, /version of the plugin contract: saw 99/, facts({ host: 99 })),
  mutant(
    "provides a kind twice",
    "provides each kind once, and none that it requires",
    /kinds that stand twice: saw \["lamp"\]/,
    facts({ provides: [lampKind, lampKind] })
  ),
  mutant(
    "gives memory back that it never had",
    budgets,
    /memoryBytes = -1 is finite and not negative/,
    facts({
      budgets: () => ({ memoryBytes: -1 })
    })
  ),
  mutant(
    "has a budget without end",
    budgets,
    /threads = Infinity is finite/,
    facts({
      budgets: () => ({ threads: Number.POSITIVE_INFINITY })
    })
  ),
  mutant(
    "cannot say what it needs",
    budgets,
    /it says its budgets: no idea/,
    facts({
      budgets: () => {
        throw new Error("no idea")
      }
    })
  ),
  mutant(
    "has a limit that nobody knows the reason of",
    budgets,
    /limit watts has a reason/,
    facts({
      limits: { watts: { value: 100, reason: "" } }
    })
  )
]

const { colour, room, watts } = lampConfig.fields
const anything = Schema.Unknown.annotate({ description: "Power." })

const configs: ReadonlyArray<PluginMutant> = [
  mutant(
    "leaves a key without a word",
    "says what each config key is for",
    /without a description: saw \["watts"\]/,
    config(Schema.Struct({ colour, room, watts: Schema.Int }))
  ),
  mutant(
    "needs a key that it calls optional",
    "takes its config, and does without the keys that are not required",
    /a config without room is refused: .*where is it/,
    config(lampConfig.check(Schema.makeFilter(({ room: name }) => name === undefined ? "where is it" : undefined)))
  ),
  mutant(
    "documents another default than it has",
    "has the defaults that it documents",
    /colour is "cold" when it is absent/,
    config(Schema.Struct({
      room,
      watts,
      colour: configValue(Type.oneOf(["warm", "cold"], "warm"), "Of the light. Default cold.").pipe(
        Schema.withDecodingDefaultKey(Effect.succeed("warm"))
      )
    }))
  ),
  mutant(
    "takes any key",
    "refuses a key that it does not know, by name",
    /unheardOf: saw \[\], expected/,
    config(
      Schema.StructWithRest(Schema.Struct({ colour, room, watts }), [Schema.Record(Schema.String, Schema.Unknown)])
    )
  ),
  mutant(
    "takes its defaults whenever something is wrong",
    "asks for a required key by name",
    /a config without watts is refused/,
    config(lampConfig.pipe(Schema.catchDecoding(() => Effect.succeedSome({ watts: 1, colour: "warm" } as const))))
  ),
  mutant(
    "takes anything for a number",
    "refuses a value of the wrong type, and says where",
    /watts: .* is refused with the place config\.watts/,
    config(Schema.Struct({ colour, room, watts: anything }))
  )
]

class Surprise extends Context.Service<Surprise, object>()("@peerstrap/plugin-host/testing/Surprise") {}

const locked: Change = (plugin, cables) => {
  let isLocked = false
  const lock = Effect.gen(function*() {
    if (isLocked) return yield* Effect.die(new Error("the lamp is locked"))
    isLocked = true
    yield* turns(2)
    yield* Effect.addFinalizer(() => Effect.sync(() => void (isLocked = false)))
  })
  return first(() => lock)(plugin, cables)
}

const onlyOnce: Change = (plugin, cables) => {
  let starts = 0
  const start = Effect.suspend(() => starts++ === 0 ? Effect.void : Effect.die(new Error("it starts only once")))
  return first(() => start)(plugin, cables)
}

const starts: ReadonlyArray<PluginMutant> = [
  mutant(
    "works before it is built",
    "does nothing before it is built",
    /after the layer was made: saw 1/,
    (plugin, cables) => ({
      ...plugin,
      layer: (decoded) => {
        cables.open++
        return plugin.layer(decoded)
      }
    })
  ),
  mutant(
    "gives up while it starts",
    "starts, and works",
    /it is permanent no power/,
    runtime((one) => {
      one.report("permanent", "no power")
    })
  ),
  mutant(
    "ends the whole composition while it starts",
    "starts, and works",
    /lamp\.bulb: the house is dark/,
    runtime((one) => {
      one.report("fatal", "the house is dark")
    })
  ),
  mutant(
    "interrupts itself while it starts",
    "starts, and works",
    /lamp\.bulb: interrupted itself/,
    first(() => Effect.interrupt)
  ),
  mutant(
    "provides less than it says",
    "starts, and works",
    /lamp\.bulb: its layer gives no lamp/,
    facts({ layer: () => Layer.empty })
  ),
  mutant(
    "provides more than it says",
    "provides what it says, and nothing else",
    /saw \[.*Lamp".*Surprise"\], expected/,
    (plugin) => ({
      ...plugin,
      layer: (decoded) =>
        Layer.merge(plugin.layer(decoded), Layer.succeed(Surprise, {})) as Layer.Layer<unknown> as Layer.Layer<never>
    })
  ),
  mutant("starts only once", "starts again after it has stopped", /it starts only once/, onlyOnce),
  mutant(
    "keeps its lock when its start is interrupted",
    "starts after starts that were interrupted at each step",
    /the lamp is locked/,
    locked
  )
]

const settings = "declares its live settings, each of which takes effect and can be read"

const live = (
  name: string,
  schema: Schema.Codec<number, unknown>,
  apply: (now: { value: number }, next: number) => void
) =>
  runtime((one) => {
    const now = { value: 40 }
    one.live(name, {
      summary: "spoiled",
      schema,
      current: () => now.value,
      apply: (next) => Effect.sync(() => apply(now, next))
    })
  })

/** The lamp with another voice. */
const respoken = (change: (runtime: PluginRuntime["Service"]) => PluginRuntime["Service"]): Change => (plugin) => ({
  ...plugin,
  layer: (decoded) => {
    const changed = Layer.effect(PluginRuntime, Effect.map(PluginRuntime, change))
    return Layer.provide(plugin.layer(decoded), changed) as Layer.Layer<never, unknown, never>
  }
})

/** The lamp with another setting in the place of its own. */
const instead = (change: Change): Change => (plugin, cables) =>
  change(respoken((one) => ({ ...one, live: () => undefined }))(plugin, cables), cables)

const speech: ReadonlyArray<PluginMutant> = [
  mutant(
    "has a setting that nobody knows",
    settings,
    /live settings: saw \["brightness","hue"\]/,
    live("hue", Schema.Int, () => {})
  ),
  mutant(
    "sets nothing",
    settings,
    /brightness as it can be read once it was changed: saw 40, expected 7/,
    instead(
      live("brightness", Schema.Int, () => {})
    )
  ),
  mutant(
    "sets whatever it is given",
    settings,
    /brightness: .* is refused/,
    instead(
      live("brightness", Schema.Any, (now, next) => {
        now.value = next
      })
    )
  ),
  mutant(
    "reports what is the host's to say",
    "reports what a plugin may report, with words when it is not well",
    /not stopped/,
    runtime((one) => {
      one.report("stopped" as never)
    })
  ),
  mutant(
    "is unwell without a word",
    "reports what a plugin may report, with words when it is not well",
    /it says why it is recoverable/,
    runtime((one) => one.report("recoverable"))
  ),
  mutant(
    "waits and does not say what to do",
    "says of what it waits for whom, why, and what to do",
    /a wait has a subject.*: lamp/,
    respoken((one) => ({
      ...one,
      onWhy: (waits) => one.onWhy(() => waits().map((wait) => ({ ...wait, remedy: "" })))
    }))
  ),
  mutant(
    "throws when it is asked what it waits for",
    "says of what it waits for whom, why, and what to do",
    /it says what it waits for: no idea/,
    respoken((one) => ({
      ...one,
      onWhy: () =>
        one.onWhy(() => {
          throw new Error("no idea")
        })
    }))
  )
]

const stop = "drains and stops in bounded time"

/** Ends by itself, so that a mutant does not outlive its test for long. */
const goesOn = (one: PluginRuntime["Service"]) =>
  Effect.forkDetach(
    Effect.repeat(Effect.andThen(Effect.yieldNow, Effect.sync(() => one.progress("still on", 1, 0))), { times: 300 })
  )

const ends: ReadonlyArray<PluginMutant> = [
  mutant("drains for ever", stop, /drains that ended: saw \d, expected 2/, runtime((one) => one.onDrain(Effect.never))),
  mutant(
    "drains for ever and cannot be interrupted",
    stop,
    /drains that ended: saw \d, expected 2/,
    runtime((one) => one.onDrain(Effect.uninterruptible(Effect.never)))
  ),
  mutant("does not stop", stop, /it has stopped, rather than/, endless),
  mutant(
    "goes on after the stop",
    "says nothing once it has stopped",
    /said after the stop: saw \["progress of still on"/,
    first(() => PluginRuntime.use(goesOn))
  ),
  mutant(
    "leaves a cable in the socket",
    "leaves nothing open when it stops",
    /open after the stop: saw 1, expected 0/,
    first((cables) => Effect.sync(() => void cables.open++))
  ),
  mutant(
    "leaves a cable in the socket when it is interrupted",
    "leaves nothing open when its start is interrupted at any step",
    /open after an interruption at turn \d+: saw 1, expected 0/,
    first((cables) =>
      Effect.sync(() => void cables.open++).pipe(
        Effect.andThen(turns(2)),
        Effect.andThen(Effect.addFinalizer(() => Effect.sync(() => void cables.open--)))
      )
    )
  )
]

export const pluginMutants: ReadonlyArray<PluginMutant> = [...sayings, ...configs, ...starts, ...speech, ...ends]
