// Bytes told as JSON.
import { assert, describe, it } from "@effect/vitest"
import {
  decodeToJson,
  encodeFrame,
  encodeHash,
  encodeOperationList,
  encodePeerMessage,
  operationListHash,
  type PeerMessage
} from "@peerstrap/tezos-wire"
import * as fc from "fast-check"
import { digests } from "./digests.ts"
import { headerArbitrary, messageArbitrary } from "./messages.ts"
import { refused, sound } from "./recorded.ts"

const run = { seed: 20_261_207, numRuns: 200 }

describe("bytes as JSON", () => {
  it("any message: plain JSON, the same from a frame, hashes only with digests", () => {
    fc.assert(
      fc.property(messageArbitrary, (message) => {
        const told = sound(decodeToJson("message", encodePeerMessage(message))) as any
        assert.strictEqual(told.message, message._tag)
        assert.deepStrictEqual(JSON.parse(JSON.stringify(told)), told)
        const full = sound(decodeToJson("frame", encodeFrame(message), digests)) as any
        for (const [key, value] of Object.entries(told)) {
          if (key !== "header" && key !== "operations") assert.deepStrictEqual(full[key], value)
        }
        if ("header" in message) {
          assert.notProperty(told.header, "hash")
          assert.strictEqual(full.header.hash, encodeHash("block", digests.blake2b(message.header.raw, 32)))
        }
      }),
      run
    )
  })

  it("a header with its fields and a list of operations with its hash", () => {
    const header = fc.sample(headerArbitrary, { seed: run.seed, numRuns: 1 })[0]!
    const told = sound(decodeToJson("header", header.raw)) as any
    assert.deepStrictEqual([told.level, told.proto], [header.level, header.proto])
    assert.strictEqual(told.time, new Date(header.timestamp * 1000).toISOString())
    const operations = [new Uint8Array(32), new Uint8Array(40).fill(5)]
    const list = sound(decodeToJson("operations", encodeOperationList(operations), digests)) as any
    assert.strictEqual(list.operation_list_hash, encodeHash("operationList", operationListHash(digests, operations)))
    assert.deepStrictEqual(list.operations.map(({ data }: any) => data), ["", "05".repeat(8)])
    assert.deepStrictEqual(sound(decodeToJson("operations", new Uint8Array(0))), { operations: [] })
  })

  it("times that no calendar has are null", () => {
    const header = fc.sample(headerArbitrary, { seed: run.seed, numRuns: 1 })[0]!.raw.slice()
    header.set([0, 0x10, 0, 0, 0, 0, 0, 0], 37)
    assert.strictEqual((sound(decodeToJson("header", header)) as any).time, null)
  })

  it("errors count from the first byte given", () => {
    const message: PeerMessage = { _tag: "GetBlockHeaders", hashes: [new Uint8Array(32)] }
    const frame = encodeFrame(message)
    frame[9] = 0x21
    assert.strictEqual(refused(decodeToJson("frame", frame)).offset, 6)
    assert.strictEqual(refused(decodeToJson("message", frame.subarray(4))).offset, 2)
    const cut = refused(decodeToJson("frame", frame.subarray(0, -1)))
    assert.match(cut.message, /the frame says 38 bytes, 37 follow/)
    assert.strictEqual(refused(decodeToJson("frame", frame.subarray(0, 3))).offset, 3)
    const huge = Uint8Array.from([0x7f, 0xff, 0xff, 0xff, 0, 2])
    assert.match(refused(decodeToJson("frame", huge)).message, /limit is 9437184/)
    refused(decodeToJson("header", new Uint8Array(113)))
    assert.strictEqual(refused(decodeToJson("operations", new Uint8Array(4))).offset, 0)
  })
})
