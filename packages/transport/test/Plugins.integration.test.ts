// Transports as parts of a composition, over real sockets where there are any.
import { assert, describe, it } from "@effect/vitest"
import { compose, type Composition, Host } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import type { Transport } from "../src/index.ts"
import { faultyTcp, memory, tcp } from "../src/plugin/index.ts"
import { collect, connectedPair, pattern } from "../src/testing/index.ts"

const sent = pattern(4096, 3)

/** What comes out at the accepting side of one connection. */
const carried = (composition: Composition<Transport>) =>
  Host.run(composition, () =>
    Effect.scoped(Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const seen = collect(far)
      yield* near.write([sent])
      yield* seen.until(sent.length)
      return { bytes: seen.bytes(), most: Math.max(...seen.sizes()) }
    })))

describe("transports as plugins", () => {
  it.live("tcp and memory carry bytes as they are", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* carried(compose(tcp({})))).bytes, sent)
      assert.deepStrictEqual((yield* carried(compose(memory({})))).bytes, sent)
    }))

  it.live("faulty does to them what its config says", () =>
    Effect.gen(function*() {
      const { bytes, most } = yield* carried(compose(faultyTcp({
        inbound: { chopBytes: "1KiB" },
        outbound: { flipBitAtByte: 10, latency: "5ms" }
      })))
      assert.strictEqual(most, 1024)
      const wrong = [...bytes.keys()].filter((at) => bytes[at] !== sent[at])
      assert.deepStrictEqual(wrong, [10])
      assert.deepStrictEqual((yield* carried(compose(faultyTcp({})))).bytes, sent)
    }))
})
