/** Starts that go wrong: who gave up is named, with its own words, and the host waits for nobody else. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { compose, definePlugin, Host, PluginRuntime, PluginStartError, type PluginStatus } from "../src/index.ts"
import { Gears, gearsOf, type Log, makeShop, noConfig, Printers, printersKind, working } from "./shop.ts"

const printerOf = (name: string, layer: () => Layer.Layer<Printers, unknown, PluginRuntime>) =>
  definePlugin({
    id: `printer.${name}`,
    version: "1.0.0",
    stability: "stable",
    summary: "for a test",
    provides: [printersKind],
    requires: [],
    config: noConfig,
    layer
  })

const saying = (status: "fatal" | "permanent", words: string) =>
  PluginRuntime.use((runtime) => Effect.sync(() => runtime.report(status, words)))

const none = () => Effect.void

describe("a start that goes wrong", () => {
  it.effect("keeps what a plugin reported when its start fails after that", () =>
    Effect.gen(function*() {
      const statuses: Array<string> = []
      const onStatus = ({ message, status }: PluginStatus) => void statuses.push(`${status} ${message}`)
      const start = Effect.andThen(saying("fatal", "disk on fire"), Effect.die(new Error("cannot open")))
      const burning = gearsOf("burning", () => Layer.effect(Gears, start))
      const error = yield* Effect.flip(Host.run(compose(burning({})), none, { onStatus }))
      assert.instanceOf(error, PluginStartError)
      assert.strictEqual(error.plugin, "gears.burning")
      assert.strictEqual(error.message, "gears.burning: disk on fire")
      assert.deepStrictEqual(statuses, ["starting starts", "fatal disk on fire", "stopping stops", "stopped "])
    }))

  it.effect("ends at once when a plugin gives up while another one starts, and names the one that did", () =>
    Effect.gen(function*() {
      const broken = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const late = Effect.andThen(Deferred.await(broken), saying("fatal", "a tooth broke"))
      const brittle = gearsOf("brittle", () => Layer.effect(Gears, Effect.as(Effect.forkScoped(late), working)))
      const hanging = printerOf(
        "hanging",
        () => Layer.effect(Printers, Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
      )
      // No time passes: a host that waits for the other one hangs here.
      const running = yield* Effect.forkChild(
        Effect.flip(Host.run(compose(brittle({}), hanging({})), none))
      )
      yield* Deferred.await(begun)
      yield* Deferred.succeed(broken, undefined)
      const error = yield* Fiber.join(running)
      assert.strictEqual(error._tag, "PluginStartError")
      assert.strictEqual(error.message, "gears.brittle: a tooth broke")
    }))

  it.effect("is seen though the last plugin gives up in the moment in which it has started", () =>
    Effect.gen(function*() {
      const log: Log = []
      const brittle = gearsOf(
        "brittle",
        () => Layer.effect(Gears, Effect.as(saying("fatal", "a tooth broke"), working))
      )
      const program = () => Effect.sync(() => void log.push("the program ran"))
      const error = yield* Effect.flip(Host.run(compose(brittle({})), program))
      assert.strictEqual(error.message, "gears.brittle: a tooth broke")
      assert.deepStrictEqual(log, [])
    }))

  it.effect("names a plugin that interrupts itself, one that gives nothing, and one that gives no list", () =>
    Effect.gen(function*() {
      const itself = gearsOf("itself", () => Layer.effect(Gears, Effect.interrupt))
      const nothing = gearsOf("nothing", () => Layer.empty as Layer.Layer<never> as unknown as Layer.Layer<Gears>)
      const single = printerOf("single", () => Layer.succeed(Printers, { print: 1 } as never))
      const messages = [
        yield* Effect.flip(Host.run(compose(itself({})), none)),
        yield* Effect.flip(Host.run(compose(nothing({})), none)),
        yield* Effect.flip(Host.run(compose(single({})), none))
      ].map(({ message }) => message)
      assert.deepStrictEqual(messages, [
        "gears.itself: interrupted itself while it started",
        "gears.nothing: its layer gives no gears, though it provides gears",
        "printer.single: its layer gives printer as something else than a list"
      ])
    }))

  it.effect("stops what had started, and lets itself be interrupted", () =>
    Effect.gen(function*() {
      const log: Log = []
      const begun = yield* Deferred.make<void>()
      const { paper } = makeShop(log)
      const hanging = gearsOf("hanging", () =>
        Layer.effect(Gears, Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)))
      const running = yield* Effect.forkChild(
        Host.run(compose(paper({ name: "a" }), hanging({})), () =>
          Effect.void)
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(log, ["start printer a", "drain a", "stop printer a"])
    }))

  it.effect("a plugin does not say what is the host's to say", () =>
    Effect.gen(function*() {
      const posing = gearsOf("posing", () =>
        Layer.effect(
          Gears,
          Effect.map(PluginRuntime, (runtime) => {
            runtime.report("stopping" as never)
            runtime.report("stopped" as never, "long ago")
            return working
          })
        ))
      const statuses = yield* Host.run(compose(posing({})), ({ statuses: now }) =>
        Effect.sync(() => now().map(({ status }) => status)))
      assert.deepStrictEqual(statuses, ["ok"])
    }))
})
