import { assert, describe, it } from "@effect/vitest"
import { compose, Host, machineBudgets, type RunningHost, type SettingChange } from "@peerstrap/plugin-host"
import { BufferMemory } from "@peerstrap/transport"
import { boundedMemory } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"

const changeOn = (host: RunningHost<BufferMemory>) => (value: unknown) =>
  host.settings.change({ plugin: "memory.bounded", setting: "bytes", value, origin: "test" })

describe("memory.bounded", () => {
  it.effect("is changed while it runs, within the bounds of its config and what the machine grants", () =>
    Effect.gen(function*() {
      const changes: Array<SettingChange> = []
      yield* Host.run(compose(boundedMemory({ bytes: "64MiB" })), (host) =>
        Effect.gen(function*() {
          const { ledger } = yield* BufferMemory
          const change = changeOn(host)
          assert.isTrue(ledger.tryReserve("a", 40 << 20))
          yield* change("32MiB")
          assert.deepStrictEqual([ledger.capacity, ledger.free], [32 << 20, 0])
          yield* change("80MiB")
          assert.strictEqual(ledger.free, 40 << 20)
          assert.deepStrictEqual(host.settings.rows.map(({ current, plugin, setting }) => [plugin, setting, current]), [
            ["memory.bounded", "bytes", 80 << 20]
          ])
          const beyond = Math.min(2 ** 40, machineBudgets().memoryBytes!) + 1
          for (const wrong of ["31MiB", String(beyond), "much", 1.5]) {
            const { message, reason } = yield* Effect.flip(change(wrong))
            assert.strictEqual(reason, "bad-value")
            assert.match(message, /^bytes of memory\.bounded: .*want a number of bytes .* from 33554432 to \d+/)
          }
          if (beyond < 2 ** 40) {
            assert.match((yield* Effect.flip(change(String(beyond)))).message, /what this machine grants/)
          }
          assert.strictEqual(ledger.capacity, 80 << 20)
        }), { onChange: (change) => changes.push(change) })
      assert.deepStrictEqual(changes.map(({ from, origin, to }) => [from, to, origin]), [
        [64 << 20, 32 << 20, "test"],
        [32 << 20, 80 << 20, "test"]
      ])
    }))
})
