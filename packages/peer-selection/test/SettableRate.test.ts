import { assert, describe, it } from "@effect/vitest"
import { makeSettableRate } from "@peerstrap/peer-selection"
import { PeerRateSource } from "@peerstrap/peer-selection"
import { peerRateKind, settableRate } from "@peerstrap/peer-selection/plugin"
import { compose, fromConfig, Host, type RunningHost, type SettingChange } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"

const changeOn = (host: RunningHost<PeerRateSource>) => (value: unknown) =>
  host.settings.change({ plugin: "rate.settable", setting: "bytes-per-second", value, origin: "test" })

describe("a rate that is set while a run goes on", () => {
  it.effect("gives the current rate first, then each change", () =>
    Effect.gen(function*() {
      const rate = yield* makeSettableRate({ bytesPerSecond: 0, origin: "flag" })
      const seen = yield* Effect.forkChild(Stream.runCollect(Stream.take(rate.source.changes, 2)))
      yield* Effect.yieldNow
      yield* rate.set({ bytesPerSecond: 5000, origin: "control socket" })
      assert.deepEqual([...(yield* Fiber.join(seen))].map(({ bytesPerSecond }) => bytesPerSecond), [0, 5000])
      assert.deepEqual(yield* rate.source.current, { bytesPerSecond: 5000, origin: "control socket" })
    }))

  it.effect("as a plugin it is changed through the host, checked and audited", () =>
    Effect.gen(function*() {
      const changes: Array<SettingChange> = []
      yield* Host.run(compose(settableRate({ bytesPerSecond: "1MB" })), (host) =>
        Effect.gen(function*() {
          const source = yield* PeerRateSource
          assert.strictEqual((yield* source.current).bytesPerSecond, 1_000_000)
          const change = changeOn(host)
          yield* change(0)
          assert.strictEqual((yield* source.current).bytesPerSecond, 0)
          assert.strictEqual((yield* Effect.flip(change(-1))).reason, "bad-value")
        }), { onChange: (change) => changes.push(change) })
      assert.deepEqual(changes.map(({ from, origin, to }) => [from, to, origin]), [[1_000_000, 0, "test"]])
    }))

  it.effect("a wrong rate in a config is told with its place", () =>
    Effect.gen(function*() {
      const text = "plugins:\n  - use: rate.settable\n    with: { bytesPerSecond: much }\n"
      const error = yield* Effect.flip(fromConfig([settableRate], text, { path: "c.yaml", needs: [peerRateKind] }))
      assert.match(error.message, /c\.yaml:3:13: bytesPerSecond of rate\.settable: "much"; want /)
    }))
})
