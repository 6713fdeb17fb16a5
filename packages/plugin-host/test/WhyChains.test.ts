/** Why a composition does not go on: every cause, and no consequence, whatever plugins do when they are asked. */
import { assert, describe, it } from "@effect/vitest"
import type { Wait } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { compose, definePlugin, Host, PluginRuntime, type ReportedStatus } from "../src/index.ts"
import { Counter, counterKind, Gears, gearsKind, gearsOf, noConfig, working } from "./shop.ts"

const wait: Wait = { subject: "gears", waitingFor: "night", cause: "day", peers: [], remedy: "wait", sinceMillis: 0 }

const told = (status: ReportedStatus, waits: () => ReadonlyArray<Wait>) =>
  Effect.map(PluginRuntime, (runtime) => {
    if (status !== "ok") runtime.report(status, `is ${status}`)
    runtime.onWhy(waits)
  })

interface Told {
  readonly status: ReportedStatus
  readonly waits?: () => ReadonlyArray<Wait>
}

/** A counter that uses gears. */
const why = (gears: Told, counter: Told) => {
  const below = gearsOf(
    "below",
    () => Layer.effect(Gears, Effect.as(told(gears.status, gears.waits ?? (() => [])), working))
  )
  const above = definePlugin({
    id: "counter.above",
    version: "1.0.0",
    stability: "stable",
    summary: "for a test",
    provides: [counterKind],
    requires: [gearsKind],
    config: noConfig,
    layer: () =>
      Layer.effect(
        Counter,
        Effect.as(told(counter.status, counter.waits ?? (() => [])), { count: Effect.succeed(1) })
      )
  })
  return Host.run(compose(above({}), below({})), (host) => Effect.sync(host.why))
}

const names = (gears: Told, counter: Told) =>
  Effect.map(why(gears, counter), (chains) => chains.map(({ chain }) => chain.at(-1)!.split(".")[0]))

const waits = () => [wait]

const broken = () => {
  throw new Error("no idea")
}

describe("why", () => {
  it.effect("an ordinary wait of a provider hides those that wait for it, none that is in more trouble", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* names({ status: "ok", waits }, { status: "ok", waits }), ["gears"])
      for (const status of ["recoverable", "permanent"] as const) {
        assert.sameMembers(yield* names({ status: "ok", waits }, { status }), ["gears", "counter"])
      }
      assert.sameMembers(yield* names({ status: "recoverable" }, { status: "permanent" }), ["gears", "counter"])
    }))

  it.effect("a provider in trouble hides those that are in as much", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* names({ status: "recoverable" }, { status: "recoverable" }), ["gears"])
      assert.deepStrictEqual(yield* names({ status: "permanent" }, { status: "recoverable" }), ["gears"])
      assert.deepStrictEqual(yield* names({ status: "permanent" }, { status: "permanent" }), ["gears"])
      assert.deepStrictEqual(yield* names({ status: "ok" }, { status: "ok" }), [])
    }))

  it.effect("a plugin that throws when it is asked is named, and hides no other", () =>
    Effect.gen(function*() {
      const chains = yield* why({ status: "ok", waits: broken }, { status: "permanent" })
      assert.sameMembers(chains.map(({ status }) => status.id), ["gears.below", "counter.above"])
      const { cause, remedy } = chains.find(({ status }) => status.id === "gears.below")!.waits[0]!
      assert.deepStrictEqual([cause, remedy], ["it throws when it is asked: no idea", "tell whoever made gears.below"])
    }))
})
