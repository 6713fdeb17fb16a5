// Every limit of messages at its value and one beyond, read and written.
import { assert, describe, it } from "@effect/vitest"
import {
  decodePeerMessage,
  encodeFrame,
  encodePeerMessage,
  type HeaderFields,
  Limits,
  MessageTags,
  type PeerMessage,
  toHex
} from "@peerstrap/tezos-wire"
import {
  accepts,
  many,
  messageBlock as block,
  messageChain as chainId,
  raw,
  sampleHeader as header,
  u32
} from "./messages.ts"
import { refused } from "./recorded.ts"

/** What is read and written at the limit, and refused by both beyond it. */
const bounded = (make: (count: number) => PeerMessage, limit: number, beyond: Uint8Array) => {
  const message = make(limit)
  assert.deepStrictEqual(accepts(encodePeerMessage(message)), message)
  assert.throws(() => encodePeerMessage(make(limit + 1)), RangeError)
  assert.throws(() => encodeFrame(make(limit + 1)), RangeError)
  assert.match(refused(decodePeerMessage(beyond)).message, /limit|more than|deeper/)
}

const passOf = (hash: Uint8Array) => ({ block: hash, pass: 3 })

const pointsOf = (count: number) => Array.from({ length: count }, (_, i) => `1.2.3.${i}:9732`)

const swapOf = (count: number): PeerMessage => ({
  _tag: "SwapAck",
  point: "x".repeat(count),
  peerId: new Uint8Array(16)
})

const historyOf = (count: number) => many(count).flatMap((hash) => [...hash])

const mempoolOf = (knownValid: number) => (count: number): PeerMessage => ({
  _tag: "CurrentHead",
  chainId,
  header,
  mempool: { knownValid: many(knownValid), pending: many(count - knownValid) }
})

const headerOf = (length: number): HeaderFields => {
  const bytesOf = new Uint8Array(length)
  bytesOf.set(header.raw.subarray(0, 78))
  return { ...header, raw: bytesOf }
}

const operationOf = (length: number): PeerMessage => ({ _tag: "Operation", operation: new Uint8Array(length) })

const listOfOne = (length: number): PeerMessage => ({
  _tag: "OperationsForBlocks",
  block,
  pass: 3,
  path: Uint8Array.of(0),
  operations: [new Uint8Array(length)]
})

const listOfOneBody = (length: number) => raw(0x61, block, 3, 0, u32(length), new Uint8Array(length))

const operationsOf = (total: number) => {
  const full = Array.from({ length: 7 }, () => new Uint8Array(131_072))
  return [...full, new Uint8Array(total - 7 * 131_076 - 4)]
}

const pathOf = (depth: number): Uint8Array => {
  const siblings = new Uint8Array(32 * depth)
  return Uint8Array.from([...new Uint8Array(depth).fill(0xf0), 0, ...siblings])
}

const protocolOf = (implementation: number): PeerMessage => ({
  _tag: "Protocol",
  environmentVersion: 3,
  components: [{ name: "main", interface: undefined, implementation: new Uint8Array(implementation) }]
})

const componentsOf = (count: number): PeerMessage => ({
  _tag: "Protocol",
  environmentVersion: 3,
  components: Array.from({ length: count }, () => ({
    name: "",
    interface: undefined,
    implementation: new Uint8Array(0)
  }))
})

const branchOf = (count: number): PeerMessage => ({ _tag: "CurrentBranch", chainId, header, history: many(count) })

const protocolBranchOf = (count: number): PeerMessage => ({
  _tag: "ProtocolBranch",
  chainId,
  proto: 4,
  header,
  history: many(count)
})

const listOf = (total: number): PeerMessage => ({
  _tag: "OperationsForBlocks",
  block,
  pass: 0,
  path: Uint8Array.of(0),
  operations: operationsOf(total)
})

const deepOf = (depth: number): PeerMessage => ({
  _tag: "OperationsForBlocks",
  block,
  pass: 0,
  path: pathOf(depth),
  operations: []
})

const headWith = (knownValid: number, pending: number) =>
  raw(
    0x14,
    chainId,
    u32(header.raw.length),
    header.raw,
    u32(32 * knownValid),
    new Uint8Array(32 * knownValid),
    u32(4 + 32 * pending),
    u32(32 * pending),
    new Uint8Array(32 * pending)
  )

describe("limits", () => {
  it("ten items in each of four requests, none is legal", () => {
    const eleven = many(11).flatMap((hash) => [...hash])
    for (const _tag of ["GetBlockHeaders", "GetOperations", "GetProtocols"] as const) {
      const tag = MessageTags[_tag]
      bounded((count) => ({ _tag, hashes: many(count) }), 10, raw(tag, u32(352), eleven))
      assert.deepStrictEqual(accepts(raw(tag, u32(0))), { _tag, hashes: [] })
    }
    bounded(
      (count) => ({ _tag: "GetOperationsForBlocks", items: many(count).map(passOf) }),
      10,
      raw(0x60, u32(363), many(11).flatMap((hash) => [...hash, 3]))
    )
    accepts(raw(0x60, u32(0)))
  })

  it("100 points of 47 characters, none and empty ones are legal", () => {
    const empty = [...new Uint8Array(4 * 101)]
    bounded((count) => ({ _tag: "Advertise", points: pointsOf(count) }), 100, raw(0x03, empty))
    assert.deepStrictEqual(accepts(raw(0x03, empty.slice(4))), {
      _tag: "Advertise",
      points: Array.from({ length: 100 }, () => "")
    })
    assert.deepStrictEqual(accepts(raw(0x03)), { _tag: "Advertise", points: [] })
    const long = [...new Uint8Array(48).fill(0x78)]
    bounded((count) => ({ _tag: "Advertise", points: ["x".repeat(count)] }), 47, raw(0x03, u32(48), long))
    bounded(swapOf, 47, raw(0x05, u32(48), long, new Uint8Array(16)))
  })

  it("1,000 entries of history", () => {
    bounded(branchOf, 1_000, raw(0x11, chainId, u32(header.raw.length), header.raw, historyOf(1_001)))
    bounded(protocolBranchOf, 1_000, raw(0x81, chainId, 4, u32(header.raw.length), header.raw, historyOf(1_001)))
  })

  it("4,000 mempool operations in all, in any mix", () => {
    for (const known of [0, 1, 2_000, 4_000]) bounded(mempoolOf(known), 4_000, headWith(known, 4_001 - known))
    refused(decodePeerMessage(headWith(4_001, 0)))
    assert.strictEqual(toHex(headWith(0, 0).subarray(-12)), "000000000000000400000000")
    const skewed = headWith(0, 1)
    skewed.set(u32(40), skewed.length - 40)
    refused(decodePeerMessage(skewed))
  })

  it("headers of 8 MiB, alone and within a message", () => {
    const most = Limits.maxHeaderBytes
    for (const length of [most, most + 1]) {
      const big = headerOf(length)
      const bodies = [
        () => encodePeerMessage({ _tag: "BlockHeader", header: big }),
        () => encodePeerMessage({ _tag: "CurrentBranch", chainId, header: big, history: [] }),
        () => encodePeerMessage({ _tag: "PredecessorHeader", block, offset: 1, header: big })
      ]
      for (const body of bodies) {
        if (length === most) accepts(body())
        else assert.throws(body, RangeError, "8388609")
      }
    }
    const alone = new Uint8Array(2 + most + 1)
    alone[1] = 0x21
    assert.match(refused(decodePeerMessage(alone)).message, /limit is 8388608/)
    const within = new Uint8Array(2 + 4 + 4 + most + 1)
    within.set([0, 0x11, 1, 2, 3, 4, ...u32(most + 1)])
    assert.match(refused(decodePeerMessage(within)).message, /limit is 8388608/)
  })

  it("frames of 9 MiB", () => {
    const body = new Uint8Array(Limits.maxFrameBytes + 1)
    body[1] = 0x21
    const above = refused(decodePeerMessage(body))
    assert.strictEqual(above.offset, 0)
    assert.match(above.message, /9437185 bytes, the limit is 9437184/)
    assert.match(refused(decodePeerMessage(body.subarray(1))).message, /tag/)
  })

  it("operations: 128 KiB are written, with the branch beside them read; 32 bytes are the least", () => {
    for (const message of [operationOf, listOfOne]) {
      for (const length of [32, 131_072]) {
        assert.deepStrictEqual(accepts(encodePeerMessage(message(length))), message(length))
      }
      for (const length of [0, 31, 131_073]) assert.throws(() => encodePeerMessage(message(length)), RangeError)
    }
    for (const length of [32, 131_072, 131_104]) {
      accepts(raw(0x31, new Uint8Array(length)))
      accepts(listOfOneBody(length))
    }
    for (const length of [0, 31, 131_105]) {
      refused(decodePeerMessage(raw(0x31, new Uint8Array(length))))
      refused(decodePeerMessage(listOfOneBody(length)))
    }
  })

  it("a list of operations: 1 MiB with its length prefixes", () => {
    const mebibyte = 1024 * 1024
    const body = encodePeerMessage(listOf(mebibyte))
    assert.strictEqual(body.length, 2 + 33 + 1 + mebibyte)
    accepts(body)
    assert.throws(() => encodePeerMessage(listOf(mebibyte + 1)), RangeError, "1048577")
    const above = new Uint8Array(body.length + 1)
    above.set(body)
    const at = 2 + 33 + 1 + 7 * 131_076
    above.set(u32(mebibyte + 1 - 7 * 131_076 - 4), at)
    const error = refused(decodePeerMessage(above))
    assert.match(error.message, /1048577 bytes of operations, the limit is 1048576/)
    assert.strictEqual(error.offset, 36)
  })

  it("paths of depth 3", () => {
    bounded(deepOf, 3, raw(0x61, block, 0, pathOf(4)))
    refused(decodePeerMessage(raw(0x61, block, 0, new Uint8Array(100_000).fill(0xf0))))
    assert.match(refused(decodePeerMessage(raw(0x61, block, 0, 0x01))).message, /path tag 1/)
  })

  it("protocols: 2 MiB, 4,096 components", () => {
    const room = Limits.maxProtocolBytes - (2 + 4 + 8 + 1 + 4)
    const whole = encodePeerMessage(protocolOf(room))
    assert.strictEqual(whole.length, 2 + Limits.maxProtocolBytes)
    const longer = new Uint8Array(whole.length + 1)
    longer.set(whole)
    bounded(protocolOf, room, longer)
    const size = 9 * (Limits.maxProtocolComponents + 1)
    bounded(componentsOf, Limits.maxProtocolComponents, raw(0x41, 0, 3, u32(size), new Uint8Array(size)))
  })
})
