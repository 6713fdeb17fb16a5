// Round trips of every kind of message, what reading tolerates and what writing refuses.
import { assert, describe, it } from "@effect/vitest"
import {
  decodePeerMessage,
  encodeFrame,
  encodePeerMessage,
  MessageTags,
  type PeerMessage,
  toHex
} from "@peerstrap/tezos-wire"
import * as fc from "fast-check"
import {
  accepts,
  many,
  messageArbitraries,
  messageBlock as block,
  messageChain as chainId,
  raw,
  sampleHeader as header,
  u32
} from "./messages.ts"
import { refused } from "./recorded.ts"
import { bytes } from "./vectors.ts"

const run = { seed: 20_261_205 }

describe("messages", () => {
  for (const [name, arbitrary] of Object.entries(messageArbitraries)) {
    it(`${name} round trips`, () => {
      fc.assert(
        fc.property(arbitrary as fc.Arbitrary<PeerMessage>, (message) => {
          const body = encodePeerMessage(message)
          assert.strictEqual(body[0]! << 8 | body[1]!, MessageTags[message._tag])
          assert.deepStrictEqual(accepts(body), message)
          const frame = encodeFrame(message)
          assert.strictEqual(new DataView(frame.buffer).getUint32(0), body.length)
          assert.strictEqual(toHex(frame.subarray(4)), toHex(body))
        }),
        { ...run, numRuns: 40 }
      )
    })
  }

  it("there is one arbitrary for each tag", () => {
    assert.deepStrictEqual(Object.keys(messageArbitraries), Object.keys(MessageTags))
  })

  it("unknown tags, old ones and nothing at all are refused at the tag", () => {
    const known = new Set<number>(Object.values(MessageTags))
    for (let tag = 0; tag < 0x200; tag++) {
      if (!known.has(tag)) assert.strictEqual(refused(decodePeerMessage(raw(tag))).offset, 0)
    }
    assert.match(refused(decodePeerMessage(raw(0x50))).message, /0x0050/)
    refused(decodePeerMessage(new Uint8Array(0)))
    refused(decodePeerMessage(new Uint8Array(1)))
  })

  it("a byte behind any message of fixed end is refused", () => {
    for (const [name, arbitrary] of Object.entries(messageArbitraries)) {
      const message = fc.sample<PeerMessage>(arbitrary, { ...run, numRuns: 1 })[0]!
      const body = encodePeerMessage(message)
      const longer = decodePeerMessage(Uint8Array.from([...body, 0]))
      // These run to the end of the frame: the byte becomes part of them.
      if (!["BlockHeader", "Checkpoint", "PredecessorHeader", "Operation"].includes(name)) refused(longer)
      else accepts(Uint8Array.from([...body, 0]))
    }
  })

  it("offsets of errors count from the tag, also inside a header", () => {
    const body = encodePeerMessage({ _tag: "CurrentBranch", chainId, header, history: many(2) })
    const broken = body.slice()
    broken.set(u32(0x7fff_ffff), 2 + 4 + 4 + 78)
    const error = refused(decodePeerMessage(broken))
    assert.strictEqual(error.what, "CurrentBranch")
    assert.strictEqual(error.offset, 88)
    assert.match(error.message, /fitness claims 2147483647 bytes/)
    assert.match(refused(decodePeerMessage(body.subarray(0, -1))).message, /63 bytes are no multiple of 32/)
  })

  it("arrays are views on the frame", () => {
    const inside = Buffer.from([9, ...encodePeerMessage({ _tag: "GetBlockHeaders", hashes: many(2) })]).subarray(1)
    const message = accepts(inside)
    if (message._tag !== "GetBlockHeaders") return assert.fail(message._tag)
    for (const hash of message.hashes) assert.strictEqual(hash.buffer, inside.buffer)
    inside[inside.length - 1] = 77
    assert.strictEqual(message.hashes[1]![31], 77)
  })
})

const component = (presence: number, declared: ReadonlyArray<number>) =>
  accepts(raw(0x41, 0, 1, u32(9 + declared.length), u32(0), presence, declared, u32(0)))

describe("reading is tolerant", () => {
  it("any presence byte but 00 is true", () => {
    for (const presence of [1, 0x7f, 0xff]) {
      const message = component(presence, u32(0))
      assert.deepStrictEqual(message._tag === "Protocol" && message.components[0]!.interface, new Uint8Array(0))
    }
    const without = component(0, [])
    assert.isUndefined(without._tag === "Protocol" ? without.components[0]!.interface : null)
    const written = encodePeerMessage({
      _tag: "Protocol",
      environmentVersion: 1,
      components: [{ name: "", interface: new Uint8Array(0), implementation: new Uint8Array(0) }]
    })
    assert.strictEqual(toHex(written), `0041${"0001"}0000000d00000000ff0000000000000000`)
  })

  it("points of any bytes are read, one character a byte", () => {
    assert.deepStrictEqual(accepts(raw(0x03, u32(3), [0x00, 0xff, 0x20])), { _tag: "Advertise", points: ["\0\u00ff "] })
  })

  it("negative levels and offsets are numbers, negative passes are refused where they stand", () => {
    assert.deepStrictEqual(accepts(raw(0x90, block, u32(0xffff_ffff))), {
      _tag: "GetPredecessorHeader",
      block,
      offset: -1
    })
    for (const pass of [0x80, 0xff]) {
      assert.strictEqual(refused(decodePeerMessage(raw(0x61, block, pass, 0))).offset, 34)
      const second = refused(decodePeerMessage(raw(0x60, u32(66), block, 1, block, pass)))
      assert.strictEqual(second.offset, 2 + 4 + 33 + 32)
      assert.match(second.message, /pass -\d+ is negative/)
    }
    accepts(raw(0x61, block, 0x7f, 0))
  })
})

describe("writing is strict", () => {
  it("what does not fit is a defect of the caller that says what", () => {
    const short = new Uint8Array(31)
    const operations = { _tag: "OperationsForBlocks", block, pass: 0, path: Uint8Array.of(0), operations: [] } as const
    const defects: ReadonlyArray<readonly [PeerMessage, RegExp]> = [
      [{ _tag: "GetCurrentBranch", chainId: short }, /chain id has 31 bytes, not 4/],
      [{ _tag: "GetBlockHeaders", hashes: [short] }, /hashes has 31 bytes, not 32/],
      [{ _tag: "SwapRequest", point: "1.2.3.4:1", peerId: short }, /peer id has 31/],
      [{ _tag: "Advertise", points: ["bücher:80"] }, /printable ASCII/],
      [{ _tag: "Advertise", points: ["1.2.3.4:1\n"] }, /printable ASCII/],
      [{ _tag: "CurrentBranch", chainId, header, history: [short] }, /history entries has 31/],
      [{ _tag: "CurrentBranch", chainId, header: { ...header, raw: short }, history: [] }, /a header of 31 bytes/],
      [{ _tag: "GetPredecessorHeader", block, offset: 2 ** 31 }, /offset is 2147483648/],
      [{ _tag: "GetProtocolBranch", chainId, proto: 256 }, /protocol level is 256/],
      [{ _tag: "GetOperationsForBlocks", items: [{ block, pass: 128 }] }, /pass is 128/],
      [{ ...operations, pass: -1 }, /pass is -1/],
      [{ ...operations, path: new Uint8Array(0) }, /path is malformed/],
      [{ ...operations, path: Uint8Array.of(0, 0) }, /path is malformed/],
      [{ _tag: "Protocol", environmentVersion: 65_536, components: [] }, /environment version is 65536/],
      [
        {
          _tag: "Protocol",
          environmentVersion: 1,
          components: [{ name: "имя", interface: undefined, implementation: short }]
        },
        /wide characters/
      ]
    ]
    for (const [message, pattern] of defects) assert.throws(() => encodePeerMessage(message), RangeError, pattern)
  })

  it("results are the caller's own", () => {
    const message: PeerMessage = { _tag: "GetBlockHeaders", hashes: many(1) }
    const [one, two] = [encodePeerMessage(message), encodePeerMessage(message)]
    one.fill(0xff)
    assert.strictEqual(toHex(two), toHex(bytes(`002000000020${"00".repeat(32)}`)))
  })
})
