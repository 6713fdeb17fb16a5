/** Ends that go wrong: what one plugin or a listener does at the end holds nobody up for longer than its times, and is told. */
import { assert, describe, it } from "@effect/vitest"
import { turns } from "@peerstrap/conformance"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { compose, definePlugin, Host, type HostOptions, PluginRuntime, type PluginStatus } from "../src/index.ts"
import { Counter, counterKind, Gears, gearsOf, type Log, makeShop, noConfig, printersKind, working } from "./shop.ts"

const draining = (name: string, drain: Effect.Effect<void>) =>
  gearsOf(name, () =>
    Layer.effect(
      Gears,
      Effect.map(PluginRuntime, (runtime) => {
        runtime.onDrain(drain)
        return working
      })
    ))

const bounds = { drainMillis: 100, stopMillis: 100 }

/** Last words of each part. */
const ends = (into: Map<string, string>): HostOptions => ({
  ...bounds,
  onStatus: ({ id, message, status }: PluginStatus) => {
    if (status === "stopped") into.set(id, message)
  }
})

describe("a drain", () => {
  it.effect("that cannot be interrupted is given up in its time, and said so", () =>
    Effect.gen(function*() {
      const said = new Map<string, string>()
      const stuck = draining("stuck", Effect.uninterruptible(Effect.never))
      const running = yield* Effect.forkChild(Host.run(compose(stuck({})), () => Effect.void, ends(said)))
      yield* turns(50)
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(running)
      assert.deepStrictEqual([...said], [["gears.stuck", "did not drain within 100 ms and was given up"]])
    }))

  it.effect("that hangs keeps no other plugin from draining, those that it uses neither", () =>
    Effect.gen(function*() {
      const log: Log = []
      const { clockwork, paper } = makeShop(log)
      const stuck = draining("stuck", Effect.never)
      const composition = compose(paper({ name: "a" }), stuck({}), clockwork({}))
      const running = yield* Effect.forkChild(Host.run(composition, () => Effect.void, bounds))
      yield* turns(50)
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(running)
      assert.include(log, "drain a")
    }))

  it.effect("of a plugin waits for those of the ones that use it, and for no others", () =>
    Effect.gen(function*() {
      const log: Log = []
      const { paper } = makeShop(log)
      const stuck = draining("stuck", Effect.never)
      const using = definePlugin({
        id: "counter.using",
        version: "1.0.0",
        stability: "stable",
        summary: "for a test",
        provides: [counterKind],
        requires: [printersKind],
        config: noConfig,
        layer: () =>
          Layer.effect(
            Counter,
            Effect.map(PluginRuntime, (runtime) => {
              runtime.onDrain(Effect.andThen(turns(20), Effect.sync(() => void log.push("drain counter"))))
              return { count: Effect.succeed(1) }
            })
          )
      })
      const composition = compose(using({}), paper({ name: "a" }), stuck({}))
      const running = yield* Effect.forkChild(Host.run(composition, () => Effect.void, bounds))
      yield* turns(100)
      assert.deepStrictEqual(log, ["start printer a", "drain counter", "drain a"])
      yield* TestClock.adjust("100 millis")
      yield* Fiber.join(running)
    }))

  it.effect("that fails is told", () =>
    Effect.gen(function*() {
      const said = new Map<string, string>()
      const failing = draining("failing", Effect.die(new Error("no room for the rest")))
      yield* Host.run(compose(failing({})), () => Effect.void, ends(said))
      assert.deepStrictEqual([...said], [["gears.failing", "did not drain: no room for the rest"]])
    }))
})

const throwing = (at: PluginStatus["status"]): HostOptions => ({
  onStatus: ({ status }) => {
    if (status === at) throw new Error(`the listener dislikes ${status}`)
  }
})

const onProgress = () => {
  throw new Error("the listener dislikes it")
}

const turnForEver = () => Effect.andThen(Gears.use(({ turn }) => turn), Effect.never)

describe("a listener that throws", () => {
  it.effect("while plugins stop loses no finalizer, and is a defect of the program", () =>
    Effect.gen(function*() {
      const log: Log = []
      const { clockwork, paper, steel } = makeShop(log)
      const composition = compose(steel({ teeth: 12 }), paper({ name: "a" }), clockwork({}))
      const exit = yield* Effect.exit(Host.run(composition, () => Effect.void, throwing("stopping")))
      assert.deepStrictEqual(log.slice(-3), ["stop counter.clockwork", "stop printer a", "stop gears.steel"])
      assert.isTrue(Exit.isFailure(exit) && /dislikes stopping/.test(Cause.pretty(exit.cause)))
    }))

  it.effect("while the composition runs ends the program, not the plugin that speaks", () =>
    Effect.gen(function*() {
      const log: Log = []
      const telling = gearsOf("telling", () =>
        Layer.effect(
          Gears,
          Effect.gen(function*() {
            const runtime = yield* PluginRuntime
            yield* Effect.addFinalizer(() => Effect.sync(() => void log.push("stopped")))
            return {
              teeth: 1,
              turn: Effect.sync(() => {
                runtime.progress("turning", 1, 1)
                log.push("turned")
                return 1
              })
            }
          })
        ))
      const exit = yield* Effect.exit(Host.run(compose(telling({})), turnForEver, { onProgress }))
      assert.deepStrictEqual(log, ["turned", "stopped"])
      assert.isTrue(Exit.isFailure(exit) && /dislikes it/.test(Cause.pretty(exit.cause)))
    }))

  it.effect("while plugins start ends the start", () =>
    Effect.gen(function*() {
      const hanging = gearsOf("hanging", () => Layer.effect(Gears, Effect.never))
      const exit = yield* Effect.exit(Host.run(compose(hanging({})), () => Effect.void, throwing("starting")))
      assert.isTrue(Exit.isFailure(exit) && /dislikes starting/.test(Cause.pretty(exit.cause)))
    }))
})

describe("a finalizer that fails", () => {
  it.effect("is told, and keeps no other plugin from its end", () =>
    Effect.gen(function*() {
      const said = new Map<string, string>()
      const log: Log = []
      const { paper } = makeShop(log)
      const failing = gearsOf("failing", () =>
        Layer.effect(Gears, Effect.acquireRelease(Effect.succeed(working), () => Effect.die(new Error("rusty")))))
      yield* Host.run(compose(paper({ name: "a" }), failing({})), () =>
        Effect.void, ends(said))
      assert.strictEqual(said.get("gears.failing"), "did not stop as it should: rusty")
      assert.strictEqual(log.at(-1), "stop printer a")
    }))
})
