// What `Memory` promises beyond the contract.
import { assert, describe, it } from "@effect/vitest"
import { turns } from "@peerstrap/conformance"
import { Limits, Memory, Transport } from "@peerstrap/transport"
import { connectedPair } from "@peerstrap/transport/testing"
import * as Effect from "effect/Effect"

describe("Memory", () => {
  it.effect("overwrites a chunk that a consumer keeps", () =>
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const kept: Array<Uint8Array> = []
      far.receive((chunk) => {
        kept.push(chunk)
        return true
      })
      yield* near.write([Uint8Array.of(1, 2, 3)])
      yield* turns(5)
      assert.deepStrictEqual(kept.map((chunk) => [...chunk]), [[0xdd, 0xdd, 0xdd]])
    }).pipe(Effect.provide(Memory.layer)))

  it.effect("fails writes to a side that has gone, also while the writer's own side does not read", () =>
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      near.close("gone")
      const error = yield* Effect.flip(far.write([new Uint8Array(2 * Limits.memoryWindowBytes)]))
      assert.strictEqual(error._tag, "ConnectionClosed")
    }).pipe(Effect.provide(Memory.layer)))

  it.effect("is one network for everyone who has the layer, with names of one's own and one owner per address", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const listener = yield* transport.listen({ host: "db-1", port: 9000 }, (c) => Effect.asVoid(c.closed))
      assert.deepStrictEqual(listener.address, { host: "db-1", port: 9000 })
      const error = yield* Effect.flip(transport.listen({ host: "db-1", port: 9000 }, () => Effect.void))
      assert.include(error.message, "db-1:9000")
      assert.strictEqual((yield* transport.dial({ host: "db-1", port: 9000 })).remote, "db-1:9000")
      assert.strictEqual((yield* Effect.flip(transport.dial({ host: "db-2", port: 9000 }))).reason, "refused")
    }).pipe(Effect.provide(Memory.layer)))
})
