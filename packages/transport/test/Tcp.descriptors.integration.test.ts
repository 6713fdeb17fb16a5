// In a file of its own, since it counts the descriptors of the whole process.
import { assert, describe, it } from "@effect/vitest"
import { atEachStep, turns } from "@peerstrap/conformance"
import { Tcp, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { readdirSync } from "node:fs"

const descriptors = () => readdirSync("/proc/self/fd").length

describe.skipIf(process.platform !== "linux")("Tcp descriptors", { concurrent: false }, () => {
  it.live("a thousand connections opened and closed leave no descriptor and no finalizer behind", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const before = descriptors()
      yield* Effect.scoped(Effect.gen(function*() {
        const listener = yield* transport.listen({ host: "127.0.0.1", port: 0 }, (connection) => {
          connection.receive(() => true)
          return Effect.asVoid(connection.closed)
        })
        let highest = 0
        for (let round = 0; round < 10; round++) {
          yield* Effect.forEach(Array.from({ length: 100 }), (_, i) =>
            Effect.scoped(Effect.gen(function*() {
              const connection = yield* transport.dial(listener.address)
              connection.receive(() => true)
              yield* connection.write([new Uint8Array(100).fill(i)])
              highest = Math.max(highest, descriptors())
              if (i % 2 === 0) connection.close("done")
            })), { concurrency: 20 })
        }
        assert.isAbove(highest, before + 4, "the count must be able to see connections")
      }))
      yield* Effect.yieldNow
      assert.isAtMost(descriptors(), before + 2)
    }).pipe(Effect.provide(Tcp.layer)))

  it.live("dials that fail leave no descriptor behind, though their scope lives on", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const listener = yield* transport.listen({ host: "127.0.0.1", port: 0 }, () => Effect.void)
      const before = descriptors()
      for (let i = 0; i < 50; i++) {
        assert.strictEqual(
          (yield* Effect.flip(transport.dial(listener.address, { timeoutMillis: 0 }))).reason,
          "timeout"
        )
        yield* turns(3)
      }
      assert.isAtMost(descriptors(), before + 5)
    }).pipe(Effect.provide([Tcp.layer, TestClock.layer()])))

  it.live("dials, writes and listeners that are interrupted, at each step, leave no descriptor behind", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const before = descriptors()
      yield* Effect.scoped(Effect.gen(function*() {
        const listener = yield* transport.listen({ host: "127.0.0.1", port: 0 }, (connection) => {
          connection.receive(() => true)
          return Effect.asVoid(connection.closed)
        })
        const talk = Effect.scoped(
          Effect.flatMap(transport.dial(listener.address), (connection) => connection.write([new Uint8Array(100_000)]))
        )
        const listen = Effect.scoped(transport.listen({ host: "127.0.0.1", port: 0 }, () => Effect.void))
        assert.isAbove(yield* atEachStep(talk, () => Effect.void), 0)
        assert.isAbove(yield* atEachStep(listen, () => Effect.void), 0)
      }))
      // The system takes some turns to close them; one that leaks keeps this from ending.
      while (descriptors() > before + 2) yield* turns(10)
    }).pipe(Effect.provide(Tcp.layer)))
})
