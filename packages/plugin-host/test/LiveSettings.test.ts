/** Live settings under change from several sides, and at the end. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { compose, Host, PluginRuntime, type RunningHost } from "../src/index.ts"
import { Gears, gearsOf, type Log, working } from "./shop.ts"

/** Gears with a speed that `shift` sets. */
const geared = (
  now: { speed: number },
  shift: (to: number) => Effect.Effect<void>,
  more: (runtime: PluginRuntime["Service"]) => void = () => undefined,
  onClose: Effect.Effect<void> = Effect.void
) =>
  gearsOf("geared", () =>
    Layer.effect(
      Gears,
      Effect.gen(function*() {
        const runtime = yield* PluginRuntime
        runtime.live("speed", { summary: "", schema: Schema.Int, current: () => now.speed, apply: shift })
        more(runtime)
        yield* Effect.addFinalizer(() => onClose)
        return working
      })
    ))

const set = (host: Pick<RunningHost<never>, "settings">, value: number) =>
  host.settings.change({ plugin: "gears.geared", setting: "speed", value, origin: "test" })

const steps = ({ settings }: Pick<RunningHost<never>, "settings">) => settings.audit.map(({ from, to }) => [from, to])

describe("live settings", () => {
  it.effect("two at once take turns: each is a change from what the other has left", () =>
    Effect.gen(function*() {
      const now = { speed: 1 }
      const shift = (to: number) => Effect.andThen(Effect.yieldNow, Effect.sync(() => void (now.speed = to)))
      const audit = yield* Host.run(compose(geared(now, shift)({})), (host) =>
        Effect.as(Effect.all([set(host, 10), set(host, 30)], { concurrency: 2 }), host)).pipe(Effect.map(steps))
      assert.deepStrictEqual(audit, [[1, 10], [10, 30]])
    }))

  it.effect("a change that has begun is ended and kept, though who asked has left", () =>
    Effect.gen(function*() {
      const now = { speed: 1 }
      const begun = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const shift = (to: number) =>
        Effect.sync(() => void (now.speed = to)).pipe(
          Effect.andThen(Deferred.succeed(begun, undefined)),
          Effect.andThen(Deferred.await(go))
        )
      const kept = yield* Host.run(compose(geared(now, shift)({})), (host) =>
        Effect.gen(function*() {
          const asking = yield* Effect.forkChild(set(host, 9))
          yield* Deferred.await(begun)
          const waiting = yield* Effect.forkChild(set(host, 11))
          yield* Effect.yieldNow
          yield* Fiber.interrupt(asking)
          yield* Fiber.interrupt(waiting)
          yield* Deferred.succeed(go, undefined)
          return host
        }))
      assert.deepStrictEqual(steps(kept), [[1, 9]])
      assert.strictEqual(now.speed, 9)
    }))

  it.effect("one that is under way is awaited before its part closes; none begins after that", () =>
    Effect.gen(function*() {
      const log: Log = []
      const now = { speed: 1 }
      const go = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const shift = (to: number) =>
        Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(go)).pipe(
          Effect.andThen(Effect.sync(() => {
            now.speed = to
            log.push(`set ${to}`)
          }))
        )
      const gears = geared(
        now,
        shift,
        () => undefined,
        Effect.sync(() => void log.push("closed"))
      )
      let kept: RunningHost<Gears> | undefined
      const running = yield* Effect.forkChild(Host.run(compose(gears({})), (host) =>
        Effect.gen(function*() {
          kept = host
          yield* Effect.forkDetach(set(host, 5))
          yield* Deferred.await(begun)
        })))
      yield* Deferred.await(begun)
      for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
      const late = yield* Effect.flip(set(kept!, 6))
      assert.deepStrictEqual([late.reason, log], ["stopping", []])
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(running)
      assert.deepStrictEqual(log, ["set 5", "closed"])
      assert.deepStrictEqual((yield* Effect.flip(set(kept!, 7))).reason, "stopping")
      assert.deepStrictEqual(steps(kept!), [[1, 5]])
    }))

  it.effect("a change that fails lets the next one have its turn", () =>
    Effect.gen(function*() {
      const now = { speed: 1 }
      const shift = (to: number) =>
        to < 0 ? Effect.die(new Error("backwards")) : Effect.sync(() => void (now.speed = to))
      const kept = yield* Host.run(compose(geared(now, shift)({})), (host) =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.exit(set(host, -1)))._tag, "Failure")
          yield* set(host, 2)
          return host
        }))
      assert.deepStrictEqual(steps(kept), [[1, 2]])
    }))
})
