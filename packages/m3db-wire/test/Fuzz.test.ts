// Malformed input: every truncation and bit flip of small samples, field boundaries of large ones, hostile lengths. A decoder
// gives a value that keeps its invariants or a fault; it never throws, never loops, never allocates by a claimed length.
import { assert, describe, it } from "@effect/vitest"
import {
  type BlocksAnswer,
  checkEmptyArguments,
  decodeBlocksAnswer,
  decodeBlocksRequest,
  decodeError,
  decodeHealthAnswer,
  decodeInit,
  decodeMetadataAnswer,
  decodeMetadataRequest,
  decodePageToken,
  decodeTags,
  encodeBlocksAnswer,
  encodeBlocksRequest,
  encodeMetadataAnswer,
  encodeValue,
  isWireFault,
  Limits,
  type MetadataPage,
  RemoteError,
  ThriftCursor,
  ThriftType,
  ThriftWriter
} from "@peerstrap/m3db-wire"
import { seeded } from "./captures.ts"
import { Sampler, smallSamples } from "./samples.ts"

const seed = 20_261_121

const inside = (buffer: Uint8Array, offsets: Int32Array, lengths: Int32Array) => {
  for (let i = 0; i < offsets.length; i++) {
    const [offset, length] = [offsets[i]!, lengths[i]!]
    if (length < -1 || offset < 0 || offset + Math.max(0, length) > buffer.length) {
      assert.fail(`row ${i}: ${length} bytes at ${offset} of ${buffer.length}`)
    }
  }
}

const ascending = (first: Int32Array, end: number) => {
  if (first[0] !== 0 || first.at(-1) !== end) assert.fail("rows do not cover the next level")
  for (let i = 1; i < first.length; i++) if (first[i]! < first[i - 1]!) assert.fail("rows go backwards")
}

/** Bytes behind all typed arrays of a value. */
const heldBytes = (value: object, buffer: Uint8Array): number => {
  const held = new Set(Object.values(value).filter(ArrayBuffer.isView).map((field) => field.buffer))
  held.delete(buffer.buffer)
  return [...held].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

const checkPage = (page: MetadataPage) => {
  inside(page.buffer, page.idOffset, page.idLength)
  inside(page.buffer, page.tagsOffset, page.tagsLength)
  if (page.checksum.some((value) => value < -1 || value > 0xffff_ffff)) assert.fail("checksum out of range")
  if (page.size.some((value) => value < 0 || !Number.isSafeInteger(value))) assert.fail("size out of range")
}

const checkBlocks = (answer: BlocksAnswer) => {
  inside(answer.buffer, answer.idOffset, answer.idLength)
  inside(answer.buffer, answer.headOffset, answer.headLength)
  inside(answer.buffer, answer.tailOffset, answer.tailLength)
  inside(answer.buffer, answer.errorOffset, answer.errorLength)
  ascending(answer.firstBlock, answer.blockCount)
  ascending(answer.firstSegment, answer.segmentCount)
}

type Decode = (bytes: Uint8Array) => unknown

/** Decodes and checks whatever comes out. */
const attempt = (decode: Decode, bytes: Uint8Array): unknown => {
  const value = decode(bytes)
  if (typeof value === "object" && value !== null && !isWireFault(value) && !(value instanceof RemoteError)) {
    if ("nextPageToken" in value) checkPage(value as MetadataPage)
    else if ("segmentCount" in value) checkBlocks(value as BlocksAnswer)
    const held = heldBytes(value, bytes)
    // A row of at least 12 bytes costs about 40 bytes of columns.
    if (held > 100 + bytes.length * 5) assert.fail(`${held} bytes of columns from ${bytes.length} bytes`)
  }
  return value
}

const truncationsAndFlips = (decode: Decode, sample: Uint8Array) => {
  for (let end = 0; end < sample.length; end++) attempt(decode, sample.slice(0, end))
  const bytes = sample.slice()
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    attempt(decode, bytes)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
  }
}

const samples = smallSamples(seed)
const decoders: Record<keyof typeof samples, Decode> = {
  init: decodeInit,
  error: decodeError,
  health: (bytes) => decodeHealthAnswer(bytes, 2048),
  metadataRequest: (bytes) => decodeMetadataRequest(bytes, 2048),
  metadata: (bytes) => decodeMetadataAnswer(bytes, 2048),
  blocksRequest: (bytes) => decodeBlocksRequest(bytes, 2048),
  blocks: (bytes) => decodeBlocksAnswer(bytes, 2048),
  tags: (bytes) => decodeTags(bytes),
  pageToken: decodePageToken,
  unknown: checkEmptyArguments
}

/** Positions at which the decoder began a field. */
const fieldPositions = (decode: Decode, bytes: Uint8Array): Array<number> => {
  const positions: Array<number> = []
  const { field } = ThriftCursor.prototype
  ThriftCursor.prototype.field = function(this: ThriftCursor) {
    positions.push(this.position)
    return field.call(this)
  }
  try {
    decode(bytes)
  } finally {
    ThriftCursor.prototype.field = field
  }
  return positions
}

/** How often the cursor was asked for something. */
const countSteps = (decode: Decode, bytes: Uint8Array): number => {
  let steps = 0
  const { binary, field, i32, i64, skip } = ThriftCursor.prototype
  const counted = { binary, field, i32, i64, skip } as Record<string, (...args: Array<never>) => unknown>
  for (const [name, method] of Object.entries(counted)) {
    ;(ThriftCursor.prototype as unknown as Record<string, unknown>)[name] = function(...args: Array<never>) {
      steps++
      return method.apply(this, args)
    }
  }
  try {
    decode(bytes)
  } finally {
    Object.assign(ThriftCursor.prototype, counted)
  }
  return steps
}

describe(`fuzz, seed ${seed}`, () => {
  for (const [name, list] of Object.entries(samples)) {
    it(`${name}: every truncation and every bit flip of ${list.length} samples`, () => {
      assert.isAtLeast(list.length, 20)
      const decode = decoders[name as keyof typeof samples]
      let whole = 0
      for (const sample of list) {
        assert.isAtMost(sample.length, 2048)
        if (!isWireFault(attempt(decode, sample))) whole++
        truncationsAndFlips(decode, sample)
      }
      assert.strictEqual(whole, list.length, "the samples themselves are sound")
    })
  }

  const sampler = new Sampler(seed + 1)
  const large: Record<string, readonly [Decode, Uint8Array]> = {
    metadata: [decoders.metadata, encodeMetadataAnswer(Array.from({ length: 120 }, () => sampler.metadataElement()))],
    blocks: [decoders.blocks, encodeBlocksAnswer(Array.from({ length: 60 }, () => sampler.blocksElement()))],
    scrambled: [decoders.blocks, sampler.scrambledBlocks(Array.from({ length: 20 }, () => sampler.blocksElement()))],
    request: [decoders.blocksRequest, encodeBlocksRequest(sampler.blocksRequest(300))]
  }
  const unlimited: Record<string, Decode> = {
    metadata: (bytes) => decodeMetadataAnswer(bytes, 1 << 20),
    blocks: (bytes) => decodeBlocksAnswer(bytes, 1 << 20),
    scrambled: (bytes) => decodeBlocksAnswer(bytes, 1 << 20),
    request: (bytes) => decodeBlocksRequest(bytes, 1 << 20)
  }

  for (const [name, [, sample]] of Object.entries(large)) {
    it(`${name} of ${sample.length} bytes: field boundaries ±1 and 5,000 seeded positions`, () => {
      const decode = unlimited[name]!
      assert.isAbove(sample.length, 2048)
      assert.isFalse(isWireFault(attempt(decode, sample)))
      const random = seeded(seed + sample.length)
      const boundaries = fieldPositions(decode, sample).flatMap((position) => [position - 1, position, position + 1])
      const positions = [...boundaries, ...Array.from({ length: 5000 }, () => Math.floor(random() * sample.length))]
      const bytes = sample.slice()
      for (const position of positions.filter((position) => position >= 0 && position < sample.length)) {
        const mask = 1 + Math.floor(random() * 255)
        bytes[position]! ^= mask
        attempt(decode, bytes)
        bytes[position]! ^= mask
        if (!isWireFault(decode(sample.subarray(0, position)))) assert.fail(`cut at ${position} went unnoticed`)
      }
    })
  }

  it("an input above the maximum is refused unread", () => {
    for (const decode of [decodeHealthAnswer, decodeMetadataAnswer, decodeBlocksAnswer, decodeBlocksRequest]) {
      const fault = decode(samples.blocks.find((sample) => sample.length > 100)!, 99)
      assert.isTrue(isWireFault(fault) && fault.kind === "too-large")
    }
  })
})

/** Offsets of every 4-byte length or count of a sample: where the cursor reads an i32. */
const lengthOffsets = (decode: Decode, bytes: Uint8Array): Array<number> => {
  const offsets: Array<number> = []
  const { binary, i32 } = ThriftCursor.prototype
  ThriftCursor.prototype.i32 = function(this: ThriftCursor) {
    offsets.push(this.position)
    return i32.call(this)
  }
  ThriftCursor.prototype.binary = function(this: ThriftCursor) {
    offsets.push(this.position)
    return binary.call(this)
  }
  try {
    decode(bytes)
  } finally {
    Object.assign(ThriftCursor.prototype, { binary, i32 })
  }
  return offsets
}

/** `levels` nested values of a container type inside an unknown field. */
const nested = (type: number, levels: number): Uint8Array => {
  const writer = new ThriftWriter(1 << 20)
  writer.field(type, 99)
  for (let level = 1; level < levels; level++) {
    if (type === ThriftType.struct) writer.field(type, 1)
    else if (type === ThriftType.map) {
      for (const byte of [ThriftType.byte, type, 0, 0, 0, 1, 0]) writer.byte(byte)
    } else for (const byte of [type, 0, 0, 0, 1]) writer.byte(byte)
  }
  if (type === ThriftType.struct) { for (let level = 0; level < levels; level++) writer.stop() }
  else if (type === ThriftType.map) { for (const byte of [3, 3, 0, 0, 0, 0]) writer.byte(byte) }
  else for (const byte of [3, 0, 0, 0, 0]) writer.byte(byte)
  writer.stop()
  return writer.finish()
}

/** A page of one element with a size. */
const page = (size: bigint) => decodeMetadataAnswer(encodeMetadataAnswer([{ id: Uint8Array.of(1), start: 1n, size }]))

describe("hostile lengths and nesting", () => {
  const hostile = [0x7fff_ffff, 0xffff_ffff, -1, 0x8000_0000, 0x7fff_ffff - 3, 1_000_000, 0]

  for (const name of ["health", "metadataRequest", "metadata", "blocksRequest", "blocks", "unknown"] as const) {
    it(`${name}: each length and count replaced by 2^31−1, 2^32−1, −1, 0 and others`, () => {
      const decode = decoders[name]
      const offsets = samples[name].map((sample) => lengthOffsets(decode, sample).length)
      assert.isAbove(Math.max(...offsets), 0, "there are lengths to replace")
      for (const sample of samples[name]) {
        for (const offset of lengthOffsets(decode, sample)) {
          for (const value of hostile) {
            const bytes = sample.slice()
            new DataView(bytes.buffer).setInt32(offset, value)
            const before = process.memoryUsage().arrayBuffers
            attempt(decode, bytes)
            assert.isBelow(process.memoryUsage().arrayBuffers - before, 1 << 20)
            assert.isAtMost(countSteps(decode, bytes), bytes.length * 3)
          }
        }
      }
    })
  }

  it("nesting to the limit is stepped over, one level more is a fault", () => {
    for (const type of [ThriftType.struct, ThriftType.map, ThriftType.list, ThriftType.set]) {
      // The args struct itself is the outermost level.
      assert.isUndefined(checkEmptyArguments(nested(type, Limits.maxThriftDepth - 1)), `type ${type}`)
      assert.isTrue(isWireFault(checkEmptyArguments(nested(type, Limits.maxThriftDepth))), `type ${type}`)
      assert.isTrue(isWireFault(checkEmptyArguments(nested(type, 50_000))), `type ${type}`)
    }
  })

  it("a negative block size and a checksum above 32 bits are faults; a huge size is clamped", () => {
    assert.isTrue(isWireFault(page(-1n)))
    assert.strictEqual((page(2n ** 62n) as MetadataPage).size[0], Number.MAX_SAFE_INTEGER)
    assert.strictEqual((page(2n ** 53n - 1n) as MetadataPage).size[0], Number.MAX_SAFE_INTEGER)
    for (const checksum of [2 ** 32, -1]) {
      const element = { id: Uint8Array.of(1), start: 1n, checksum }
      assert.isTrue(isWireFault(decodeMetadataAnswer(encodeMetadataAnswer([element]))))
    }
  })

  it("more rows than the maximum end the answer as too large", () => {
    const answer = decodeBlocksAnswer(encodeValue((writer) => {
      writer.listField(1, ThriftType.struct, 1)
      writer.bytesField(1, Uint8Array.of(1))
      writer.listField(2, ThriftType.struct, Limits.maxRows + 1)
      for (let i = 0; i <= Limits.maxRows; i++) {
        writer.field(ThriftType.i64, 1)
        writer.i64(0, i)
        writer.stop()
      }
      writer.stop()
      writer.stop()
    }))
    assert.isTrue(isWireFault(answer) && answer.kind === "too-large")
  })
})
