// Every fragment case of the specification, read and written.
import { assert, describe, it } from "@effect/vitest"
import {
  type CallHead,
  ChecksumType,
  emptyArguments,
  encodeCallHead,
  encodeCallRequest,
  encodeErrorFrame,
  encodeFrame,
  encodeMessage,
  encodeMessagePieces,
  encodeMetadataRequest,
  FrameSplitter,
  FrameType,
  isWireFault,
  Limits,
  type Message,
  MessageReader,
  Method,
  updateChecksum,
  WireFault,
  writeFrameHeader
} from "@peerstrap/m3db-wire"
import { ascii, pattern } from "./bytes.ts"
import { seeded } from "./captures.ts"

const responseHead: CallHead = { kind: "response", code: 0, headers: [["as", "thrift"]] }
const requestHead: CallHead = { kind: "request", ttlMillis: 1000, service: "Node", headers: [["as", "thrift"]] }
const checksumTypes = [ChecksumType.none, ChecksumType.crc32, ChecksumType.crc32c]

const message = (head: CallHead, checksumType: ChecksumType, lengths: readonly [number, number, number]): Message => ({
  id: 7,
  head,
  checksumType,
  arg1: pattern(lengths[0]),
  arg2: pattern(lengths[1]),
  arg3: pattern(lengths[2])
})

const read = (kind: CallHead["kind"], frames: ReadonlyArray<Uint8Array>, maxBytes = 1 << 20) => {
  const reader = new MessageReader(kind, { maxBytes })
  let progress: ReturnType<MessageReader["push"]> = "more"
  for (const frame of frames) {
    if (progress !== "more") break
    progress = reader.push(frame[2]!, frame, 16, frame.length)
  }
  return { reader, progress }
}

const assertSame = (frames: ReadonlyArray<Uint8Array>, expected: Message) => {
  const { progress, reader } = read(expected.head.kind, frames)
  assert.strictEqual(progress, "done")
  assert.deepStrictEqual(reader.head, expected.head)
  assert.deepStrictEqual([reader.arg1, reader.arg2, reader.arg3], [expected.arg1, expected.arg2, expected.arg3])
}

/** Frames of a response with the chunks given, whatever they are; the checksums are right. */
const rawFrames = (
  fragments: ReadonlyArray<ReadonlyArray<Uint8Array>>,
  options: { readonly types?: ReadonlyArray<number>; readonly lastHasMore?: boolean; readonly badChecksumAt?: number } =
    {}
): Array<Uint8Array> => {
  let checksum = 0
  return fragments.map((chunks, i) => {
    const type = options.types?.[i] ?? ChecksumType.crc32
    const head = i === 0 ? encodeCallHead(responseHead) : new Uint8Array(1)
    const fixed = 16 + head.length + 1 + (type === 0 ? 0 : 4)
    const frame = new Uint8Array(fixed + chunks.reduce((sum, chunk) => sum + 2 + chunk.length, 0))
    frame.set(head, 16)
    frame[16] = i < fragments.length - 1 || options.lastHasMore === true ? 1 : 0
    frame[16 + head.length] = type
    let position = fixed
    for (const chunk of chunks) {
      frame[position] = chunk.length >>> 8
      frame[position + 1] = chunk.length & 0xff
      frame.set(chunk, position + 2)
      position += 2 + chunk.length
      if (type === 0 || type === 1 || type === 3) checksum = updateChecksum(type, checksum, chunk)
    }
    const written = i === options.badChecksumAt ? checksum ^ 1 : checksum
    if (type !== 0) new DataView(frame.buffer).setUint32(17 + head.length, written)
    writeFrameHeader(frame, 0, frame.length, i === 0 ? FrameType.callResponse : FrameType.callResponseContinue, 7)
    return frame
  })
}

const fails = (frames: ReadonlyArray<Uint8Array>, text: RegExp) => {
  const { progress } = read("response", frames)
  assert.instanceOf(progress, WireFault)
  assert.match((progress as WireFault).message, text)
}

const none = new Uint8Array(0)

/** Each byte as a fragment of its own. */
const single = (chunk: Uint8Array) => [...chunk].map((byte) => [Uint8Array.of(byte)])

const [a, b, c] = [ascii("aaa"), ascii("bb"), ascii("cccc")]

describe("message fragments", () => {
  it("round trips at every frame size, for every checksum type and both directions", () => {
    for (const head of [requestHead, responseHead]) {
      const smallest = 16 + encodeCallHead(head).length + 5 + 3
      for (const checksumType of checksumTypes) {
        for (const lengths of [[0, 2, 0], [1, 1, 1], [12, 2, 150], [0, 0, 0], [30, 2, 31]] as const) {
          const sent = message(head, checksumType, lengths)
          for (let size = smallest; size < smallest + 60; size++) {
            const frames = encodeMessage(sent, size)
            for (const frame of frames) assert.isAtMost(frame.length, size)
            assertSame(frames, sent)
          }
        }
      }
    }
  })

  it("in pieces is the same bytes, a long third argument uncopied", () => {
    for (const [nth, size] of [0, 100, 4_095, 4_096, 5_000, 65_000, 65_535, 70_000, 200_000].entries()) {
      for (const maxFrameBytes of [65_535, 9_000, 200]) {
        for (const checksumType of checksumTypes) {
          const one = message(requestHead, checksumType, [nth % 2 === 0 ? 11 : 10_000, 2, size])
          const frames = encodeMessage(one, maxFrameBytes)
          const split = encodeMessagePieces(one, maxFrameBytes)
          assert.strictEqual(split.frames, frames.length)
          assert.strictEqual(Buffer.compare(Buffer.concat(split.pieces), Buffer.concat(frames)), 0)
          const views = split.pieces.filter((piece) => piece.buffer === one.arg3.buffer)
          const viewed = views.reduce((sum, piece) => sum + piece.length, 0)
          assert.strictEqual(viewed, size >= 4_096 ? size : 0)
        }
      }
    }
  })

  it("fills frames like the Go library: 70,000 bytes are one full frame and a continuation", () => {
    const frames = encodeMessage(message(responseHead, ChecksumType.crc32, [0, 2, 70_000]))
    assert.deepStrictEqual(frames.map((frame) => [frame.length === Limits.maxFrameBytes, frame[16]]), [[true, 1], [
      false,
      0
    ]])
  })

  it("closes an argument that ends exactly at a frame's end by a zero-length chunk", () => {
    const sent = message(responseHead, ChecksumType.none, [0, 4, 5])
    const head = 16 + encodeCallHead(responseHead).length + 1
    // Room for arg1's empty chunk and all of arg2, not for a further chunk.
    for (const spare of [0, 1, 2]) {
      const frames = encodeMessage(sent, head + 2 + 6 + spare)
      assert.deepStrictEqual([...frames[1]!.subarray(16, 20)], [frames.length > 2 ? 1 : 0, 0, 0, 0])
      assertSame(frames, sent)
    }
  })

  it("reads one byte per frame, arguments split anywhere, and empty chunks between", () => {
    const { progress, reader } = read(
      "response",
      rawFrames([[none], [none], ...single(a), [none, b], [none], [none, none], ...single(c), [none]])
    )
    assert.strictEqual(progress, "done")
    assert.deepStrictEqual([reader.arg1, reader.arg2, reader.arg3], [a, b, c])
  })

  it("refuses a fragment without a chunk, first or later", () => {
    fails(rawFrames([[]]), /without a chunk/)
    fails(rawFrames([[a, b, c], []]), /without a chunk/)
  })

  it("refuses a fourth argument, a message that ends early, and frames after the last", () => {
    fails(rawFrames([[a, b, c, none]]), /three arguments/)
    fails(rawFrames([[a, b], [none, c, none]]), /three arguments/)
    fails(rawFrames([[a, b]]), /ends in argument 2/)
    const { reader } = read("response", rawFrames([[a, b, c]]))
    const again = rawFrames([[a], [b]])[1]!
    assert.isTrue(isWireFault(reader.push(again[2]!, again, 16, again.length)))
  })

  it("refuses a changed or unsupported checksum type and a wrong running checksum in any frame", () => {
    fails(rawFrames([[a, b], [none, c]], { types: [1, 3] }), /changed from 1 to 3/)
    fails(rawFrames([[a, b, c]], { types: [2] }), /type 2 is not supported/)
    fails(rawFrames([[a, b], [none, c]], { badChecksumAt: 0 }), /checksum does not match/)
    fails(rawFrames([[a, b], [none, c]], { badChecksumAt: 1 }), /checksum does not match/)
  })

  it("refuses chunks and heads that are cut at any byte", () => {
    const frame = rawFrames([[a, b, c]])[0]!
    for (let end = 16; end < frame.length; end++) {
      const progress = new MessageReader("response", { maxBytes: 100 }).push(frame[2]!, frame, 16, end)
      assert.instanceOf(progress, WireFault, `cut at ${end}`)
    }
  })

  it("refuses a continuation first, a second first frame, and the other direction's frames", () => {
    const [first, second] = rawFrames([[a, b], [none, c]]) as [Uint8Array, Uint8Array]
    fails([second], /frame type 14 where 4/)
    fails([first, first], /frame type 4 where 14/)
    assert.instanceOf(read("request", [first]).progress, WireFault)
  })

  it("names an answer above the maximum too large, before it is held", () => {
    const frames = encodeMessage(message(responseHead, ChecksumType.crc32, [0, 2, 5000]), 200)
    const { progress } = read("response", frames, 4999)
    assert.strictEqual((progress as WireFault).kind, "too-large")
    assert.strictEqual(read("response", frames, 5000).progress, "done")
    const longHeaders = encodeMessage(message(responseHead, ChecksumType.none, [0, 70_000, 0]))
    assert.strictEqual((read("response", longHeaders).progress as WireFault).kind, "malformed")
  })
})

describe("frame splitter", () => {
  const frames = [
    encodeFrame(FrameType.pingRequest, 1),
    encodeErrorFrame(0xffff_ffff, 6, "no"),
    encodeFrame(FrameType.callResponse, 0x8000_0001, pattern(Limits.maxFrameBytes - 16)),
    encodeFrame(FrameType.pingResponse, 4)
  ]
  const stream = Buffer.concat(frames)

  it("gives the same frames for any chunks, one frame inside many or many inside one", () => {
    for (const seed of [11, 12, 13, 14]) {
      const random = seeded(seed)
      const seen: Array<string> = []
      const splitter = new FrameSplitter((type, id, buffer, start, end) => {
        seen.push(`${type} ${id} ${Buffer.compare(buffer.subarray(start, end), frames[seen.length]!.subarray(16))}`)
      })
      for (let position = 0; position < stream.length;) {
        const size = 1 + Math.floor(random() ** 4 * 90_000)
        assert.isUndefined(splitter.push(stream.subarray(position, position + size)))
        position += size
      }
      assert.deepStrictEqual(seen, ["208 1 0", "255 4294967295 0", "4 2147483649 0", "209 4 0"], `seed ${seed}`)
      assert.strictEqual(splitter.pendingBytes, 0)
    }
  })

  it("stops for good at a size below 16, with the offset in the stream", () => {
    for (const size of [0, 1, 15]) {
      const splitter = new FrameSplitter(() => undefined)
      assert.isUndefined(splitter.push(frames[0]!))
      assert.isUndefined(splitter.push(Uint8Array.of(0)))
      const fault = splitter.push(Uint8Array.of(size, FrameType.callResponse, 0))
      assert.strictEqual(fault?.offset, 16)
      assert.strictEqual(splitter.push(frames[0]!), fault)
    }
  })

  it("looks at a frame's head before its payload has come", () => {
    const splitter = new FrameSplitter(() => undefined, (size, type) => new WireFault(`${size} ${type}`, 0))
    assert.isUndefined(splitter.push(ascii("HT")))
    assert.strictEqual(splitter.push(ascii("T"))?.message, `${0x4854} ${0x54}`)
  })
})

describe("what must never leave the encoder", () => {
  const request = { namespace: ascii("n"), shard: 0, rangeStart: 0n, rangeEnd: 1n, limit: 1 }

  it("an args struct without field 1 for a method that takes a request", () => {
    for (const method of [Method.fetchBlocks, Method.fetchBlocksMetadata, "Node::writeTagged"]) {
      for (const arg3 of [emptyArguments(), Uint8Array.of(12, 0, 2, 0, 0), none]) {
        assert.throws(() => encodeCallRequest({ id: 2, method, arg3, ttlMillis: 1 }), /field 1/)
      }
    }
  })

  it("a TTL of 0, a page limit outside 1 to 4096, a method above 16 KiB, a frame without room for a chunk", () => {
    const call = { id: 2, method: Method.fetchBlocksMetadata, arg3: encodeMetadataRequest(request) }
    for (const ttlMillis of [0, -1, Number.NaN, 2 ** 32, 1.5]) {
      assert.throws(() => encodeCallRequest({ ...call, ttlMillis }), RangeError)
    }
    for (const limit of [0, -1, 4097, 1.5]) {
      assert.throws(() => encodeMetadataRequest({ ...request, limit }), RangeError)
    }
    assert.throws(() => encodeCallRequest({ ...call, method: "m".repeat(16_385), ttlMillis: 1 }), RangeError)
    for (let size = 0; size < 90; size++) {
      try {
        for (const frame of encodeCallRequest({ ...call, ttlMillis: 1 }, size)) {
          const head = frame[2] === FrameType.callRequest ? 60 : 22
          assert.isAtLeast(frame.length, head + 2, "every fragment has a chunk")
        }
      } catch (error) {
        assert.instanceOf(error, RangeError)
      }
    }
  })
})
