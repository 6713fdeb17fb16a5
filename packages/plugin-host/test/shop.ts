/** A little shop of kinds and plugins for the tests: a clockwork, ordered printers, and a counter that uses both. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { definePlugin, many, one, PluginRuntime } from "../src/index.ts"

export class Jam extends Data.TaggedError("Jam")<{ readonly cause?: unknown }> {}

export interface Printer {
  readonly name: string
  print(text: string): Effect.Effect<void, Jam>
}

export class Gears
  extends Context.Service<Gears, { readonly turn: Effect.Effect<number, Jam>; readonly teeth: number }>()(
    "test/Gears"
  )
{}
export class Printers extends Context.Service<Printers, ReadonlyArray<Printer>>()("test/Printers") {}
export class Counter
  extends Context.Service<Counter, { readonly count: Effect.Effect<number, Jam> }>()("test/Counter")
{}

export const gearsKind = one("gears", Gears, { summary: "what turns" })
export const printersKind = many("printer", Printers, { summary: "what prints" })
export const counterKind = one("counter", Counter, { summary: "what counts" })

export const noConfig = Schema.Struct({})
const base = { version: "1.0.0", stability: "stable", requires: [] } as const

/** Gears made by `layer`, for one test. */
export const gearsOf = (name: string, layer: () => Layer.Layer<Gears, unknown, PluginRuntime>) =>
  definePlugin({ ...base, id: `gears.${name}`, provides: [gearsKind], config: noConfig, summary: "for a test", layer })

export const working = { teeth: 3, turn: Effect.succeed(3) }

/** Events of a test in order. */
export type Log = Array<string>

export const makeShop = (log: Log) => {
  const traced = (name: string) =>
    Effect.acquireRelease(
      Effect.sync(() => void log.push(`start ${name}`)),
      () => Effect.sync(() => void log.push(`stop ${name}`))
    )
  const steel = definePlugin({
    ...base,
    id: "gears.steel",
    summary: "gears of steel",
    provides: [gearsKind],
    config: Schema.Struct({
      teeth: Schema.Int.check(Schema.isBetween({ minimum: 3, maximum: 99 })).annotate({ description: "on each wheel" }),
      jams: Schema.optionalKey(Schema.Boolean)
    }),
    budgets: ({ teeth }) => ({ memoryBytes: teeth * 10 }),
    layer: ({ jams, teeth }) =>
      Layer.effect(
        Gears,
        Effect.gen(function*() {
          yield* traced("gears.steel")
          return { teeth, turn: jams === true ? Effect.fail(new Jam({})) : Effect.succeed(teeth) }
        })
      )
  })
  const wood = definePlugin({
    ...base,
    id: "gears.wood",
    stability: "experimental",
    summary: "gears of wood",
    provides: [gearsKind],
    config: noConfig,
    layer: () => Layer.succeed(Gears, { teeth: 5, turn: Effect.succeed(5) })
  })
  const paper = definePlugin({
    ...base,
    id: "printer.paper",
    summary: "prints on paper",
    provides: [printersKind],
    config: Schema.Struct({ name: Schema.String }),
    layer: ({ name }) =>
      Layer.effect(
        Printers,
        Effect.gen(function*() {
          yield* traced(`printer ${name}`)
          const runtime = yield* PluginRuntime
          runtime.onDrain(Effect.sync(() => void log.push(`drain ${name}`)))
          return [{ name, print: (text: string) => Effect.sync(() => void log.push(`${name}: ${text}`)) }]
        })
      )
  })
  const clockwork = definePlugin({
    ...base,
    id: "counter.clockwork",
    summary: "counts by turning",
    provides: [counterKind],
    requires: [gearsKind, printersKind],
    config: noConfig,
    layer: () =>
      Layer.effect(
        Counter,
        Effect.gen(function*() {
          yield* traced("counter.clockwork")
          const gears = yield* Gears
          const printers = yield* Printers
          return {
            count: Effect.flatMap(Effect.mapError(gears.turn, (cause) => new Jam({ cause })), (turned) =>
              Effect.as(Effect.forEach(printers, (printer) => printer.print(String(turned))), turned))
          }
        })
      )
  })
  return { steel, wood, paper, clockwork, all: [steel, wood, paper, clockwork] }
}
