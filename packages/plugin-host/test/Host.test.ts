import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { compose, Host, PluginRuntime, type PluginStatus, type RunningHost, type SettingChange } from "../src/index.ts"
import { Counter, Gears, gearsOf, type Log, makeShop, working } from "./shop.ts"

const changeSpeed = (host: RunningHost<Gears>) =>
  Effect.gen(function*() {
    const change = (plugin: string, setting: string, value: unknown) =>
      host.settings.change({ plugin, setting, value, origin: "test" })
    yield* change("gears.geared", "speed", 7)
    const messages = [
      yield* Effect.flip(change("gears.geered", "speed", 7)),
      yield* Effect.flip(change("gears.geared", "sped", 7)),
      yield* Effect.flip(change("gears.geared", "speed", "fast"))
    ].map(({ message }) => message)
    assert.deepStrictEqual(messages, [
      `"gears.geered" has nothing that can change while it runs; did you mean gears.geared?`,
      `gears.geared has no setting "sped"; did you mean speed?; there are speed`,
      `speed of gears.geared: Expected number, got "fast"`
    ])
    assert.deepStrictEqual(host.settings.rows.map(({ current, setting }) => [setting, current]), [["speed", 7]])
    assert.deepInclude(host.settings.audit[0], { from: 1, to: 7, origin: "test", plugin: "gears.geared" })
    assert.strictEqual(host.settings.audit.length, 1)
  })

describe("Host", () => {
  it.effect("starts providers first, drains and stops in reverse order", () =>
    Effect.gen(function*() {
      const log: Log = []
      const { clockwork, paper, steel } = makeShop(log)
      const composition = compose(clockwork({}), paper({ name: "a" }), paper({ name: "b" }), steel({ teeth: 12 }))
      const counted = yield* Host.run(composition, () => Effect.flatMap(Counter, (counter) => counter.count))
      assert.strictEqual(counted, 12)
      assert.deepStrictEqual(log, [
        "start printer a",
        "start printer b",
        "start gears.steel",
        "start counter.clockwork",
        "a: 12",
        "b: 12",
        "drain b",
        "drain a",
        "stop counter.clockwork",
        "stop gears.steel",
        "stop printer b",
        "stop printer a"
      ])
    }))

  it.effect("counts each edge, and tells a failure from one that was passed on", () =>
    Effect.gen(function*() {
      const { clockwork, paper, steel } = makeShop([])
      const composition = compose(steel({ teeth: 12, jams: true }), paper({ name: "a" }), clockwork({}))
      const edges = yield* Host.run(composition, (host) =>
        Effect.gen(function*() {
          const counter = yield* Counter
          assert.isTrue(Exit.isFailure(yield* Effect.exit(counter.count)))
          return host.edges()
        }))
      const of = (from: string, to: string) => edges.find((edge) => edge.from === from && edge.to === to)!
      assert.deepInclude(of("counter.clockwork", "gears.steel"), { success: 0, failure: 1, refused: 0 })
      assert.deepInclude(of("program", "counter.clockwork"), { success: 0, failure: 0, refused: 1 })
    }))

  it.effect("members that are not metered keep their values", () =>
    Effect.gen(function*() {
      const { wood } = makeShop([])
      const teeth = yield* Host.run(compose(wood({})), () => Effect.map(Gears, (gears) => gears.teeth))
      assert.strictEqual(teeth, 5)
    }))

  it.effect("a plugin that does not start is named; what had started is stopped", () =>
    Effect.gen(function*() {
      const log: Log = []
      const { paper } = makeShop(log)
      const broken = gearsOf("broken", () => Layer.effect(Gears, Effect.die(new Error("no oil"))))
      const error = yield* Effect.flip(Host.run(compose(paper({ name: "a" }), broken({})), () => Effect.void))
      assert.strictEqual(error._tag, "PluginStartError")
      assert.strictEqual(error.message, "gears.broken: no oil")
      assert.deepStrictEqual(log, ["start printer a", "drain a", "stop printer a"])
    }))

  it.effect("a start that takes too long is a failure, and is interrupted", () =>
    Effect.gen(function*() {
      const slow = gearsOf("slow", () => Layer.effect(Gears, Effect.never))
      const running = yield* Effect.forkChild(Effect.flip(Host.run(compose(slow({})), () => Effect.void)))
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* Fiber.join(running)).message, "gears.slow: did not start within 60000 ms")
    }))

  it.effect("a fatal status ends the program", () =>
    Effect.gen(function*() {
      const broken = yield* Deferred.make<void>()
      const plugin = gearsOf("brittle", () =>
        Layer.effect(
          Gears,
          Effect.gen(function*() {
            const runtime = yield* PluginRuntime
            yield* Effect.forkScoped(
              Effect.andThen(Deferred.await(broken), Effect.sync(() => runtime.report("fatal", "a tooth broke")))
            )
            return working
          })
        ))
      const error = yield* Effect.flip(
        Host.run(compose(plugin({})), () => Effect.andThen(Deferred.succeed(broken, undefined), Effect.never))
      )
      assert.strictEqual(error._tag, "PluginFatalError")
      assert.strictEqual(error.message, "a tooth broke")
    }))

  it.effect("a start that cannot be interrupted holds the host no longer than its times", () =>
    Effect.gen(function*() {
      const said: Array<string> = []
      const stuck = gearsOf("stuck", () => Layer.effect(Gears, Effect.uninterruptible(Effect.never)))
      const onStatus = ({ message, status }: PluginStatus) => void said.push(`${status} ${message}`)
      const late = yield* Effect.forkChild(Effect.flip(Host.run(compose(stuck({})), () => Effect.void, { onStatus })))
      yield* TestClock.adjust("70 seconds")
      assert.strictEqual((yield* Fiber.join(late)).message, "gears.stuck: did not start within 60000 ms")
      const interrupted = yield* Effect.forkChild(Host.run(compose(stuck({})), () => Effect.void, { onStatus }))
      yield* Effect.yieldNow
      yield* Effect.forkChild(Fiber.interrupt(interrupted))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.await(interrupted)
      assert.deepStrictEqual(said, [
        "starting starts",
        "permanent did not start within 60000 ms",
        "stopping stops",
        "stopped did not stop within 10000 ms and was left behind",
        "starting starts",
        "stopping stops",
        "stopped did not stop within 10000 ms and was left behind"
      ])
    }))

  it.effect("a plugin that does not stop is left behind and said so", () =>
    Effect.gen(function*() {
      const said: Array<PluginStatus> = []
      const stuck = gearsOf("stuck", () =>
        Layer.effect(Gears, Effect.acquireRelease(Effect.succeed(working), () => Effect.never)))
      const running = yield* Effect.forkChild(
        Host.run(compose(stuck({})), () =>
          Effect.void, { onStatus: (status) => said.push(status) })
      )
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(running)
      assert.deepStrictEqual(said.map(({ message, status }) => `${status} ${message}`), [
        "starting starts",
        "ok ",
        "stopping stops",
        "stopped did not stop within 10000 ms and was left behind"
      ])
    }))

  it.effect("a composition is a layer, too: built with its scope, stopped with it", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const shop = makeShop(log)
      const composition = compose(shop.steel({ teeth: 12 }), shop.paper({ name: "a" }), shop.clockwork({}))
      const counted = yield* Effect.provide(Counter.use((counter) => counter.count), Host.layer(composition))
      assert.strictEqual(counted, 12)
      assert.deepStrictEqual([log[0], log.at(-1)], ["start gears.steel", "stop gears.steel"])
    }))

  it.effect("what a plugin tells while it starts reaches the program", () =>
    Effect.gen(function*() {
      const told: Array<unknown> = []
      const telling = gearsOf("telling", () =>
        Layer.effect(
          Gears,
          Effect.map(PluginRuntime, (runtime) => {
            runtime.progress("oiling", 1, 3)
            runtime.event("oiled", { drops: 3 }, "oiled with 3 drops")
            return working
          })
        ))
      yield* Host.run(compose(telling({})), () => Effect.void, {
        onEvent: (event) => told.push(event),
        onProgress: (progress) => told.push(progress)
      })
      assert.deepStrictEqual(told, [
        { plugin: "gears.telling", activity: "oiling", done: 1, total: 3 },
        { plugin: "gears.telling", name: "oiled", fields: { drops: 3 }, text: "oiled with 3 drops" }
      ])
    }))

  it.effect("why names the chain down to the plugin that waits", () =>
    Effect.gen(function*() {
      const { clockwork, paper } = makeShop([])
      const wait = {
        subject: "gears",
        waitingFor: "oil",
        cause: "the can is empty",
        peers: [],
        remedy: "fill it",
        sinceMillis: 0
      }
      const dry = gearsOf("dry", () =>
        Layer.effect(
          Gears,
          Effect.gen(function*() {
            const runtime = yield* PluginRuntime
            runtime.report("recoverable", "runs dry")
            runtime.onWhy(() => [wait])
            return working
          })
        ))
      const chains = yield* Host.run(
        compose(clockwork({}), paper({ name: "a" }), dry({})),
        (host) => Effect.sync(host.why)
      )
      assert.strictEqual(chains.length, 1)
      assert.deepStrictEqual(chains[0]!.chain, ["program", "counter.clockwork", "gears.dry"])
      assert.deepStrictEqual(chains[0]!.waits, [wait])
      assert.strictEqual(chains[0]!.status.message, "runs dry")
    }))

  it.effect("a live setting changes while the composition runs, with an audit", () =>
    Effect.gen(function*() {
      let speed = 1
      const told: Array<string> = []
      const geared = gearsOf("geared", () =>
        Layer.effect(
          Gears,
          Effect.gen(function*() {
            const runtime = yield* PluginRuntime
            runtime.live("speed", {
              summary: "turns a second",
              schema: Schema.Int,
              current: () => speed,
              apply: (value) => Effect.sync(() => void (speed = value))
            })
            return working
          })
        ))
      const options = { onChange: ({ setting, to }: SettingChange) => void told.push(`${setting} ${String(to)}`) }
      yield* Host.run(compose(geared({})), changeSpeed, options)
      assert.deepStrictEqual(told, ["speed 7"])
    }))
})
