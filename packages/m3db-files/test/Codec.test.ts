import { assert, describe, it } from "@effect/vitest"
import {
  adler32Combine,
  bloomBytes,
  BloomFilter,
  decodeDigests,
  decodeInfo,
  decodeSummaries,
  encodeCheckpoint,
  encodeDigests,
  encodeIndexEntry,
  encodeInfo,
  encodeSummary,
  type FilesetInfo,
  IndexEntryDecoder,
  isMalformed,
  Malformed,
  MsgpackReader,
  MsgpackWriter,
  murmur3X64Pair,
  optimalBloom,
  searchSummaries
} from "@peerstrap/m3db-files"
import { adler32 } from "@peerstrap/m3tsz"
import * as fc from "fast-check"
import * as Vectors from "./vectors.ts"
import { ascii, hex, toHex } from "./vectors.ts"

const run = { seed: 20_261_121, numRuns: 300 }

const must = <A>(value: A | Malformed): A => {
  if (value instanceof Malformed) throw new Error(value.message)
  return value as A
}

const info = (change: Partial<FilesetInfo> = {}): FilesetInfo => ({
  blockStart: Vectors.blockStart,
  blockSize: Vectors.blockSize,
  entries: 3,
  majorVersion: 1,
  minorVersion: 1,
  summaries: 1,
  bloomBits: 25,
  bloomHashes: 6,
  snapshotTime: BigInt(0),
  fileType: 0,
  snapshotId: undefined,
  volume: 0,
  ...change
})

const written = (value: bigint) => {
  const writer = new MsgpackWriter()
  writer.int(value)
  return toHex(writer.take())
}

describe("Msgpack", () => {
  it("writes integers in M3's smallest unsigned form", () => {
    const cases: Array<[string, string]> = [
      ["0", "00"],
      ["127", "7f"],
      ["128", "cc80"],
      ["255", "ccff"],
      ["256", "cd0100"],
      ["65536", "ce00010000"],
      ["4294967295", "ceffffffff"],
      ["4294967296", "cf0000000100000000"],
      ["9223372036854775807", "cf7fffffffffffffff"],
      ["-1", "ff"],
      ["-32", "e0"],
      ["-33", "d0df"],
      ["-128", "d080"],
      ["-129", "d1ff7f"],
      ["-32769", "d2ffff7fff"],
      ["-2147483649", "d3ffffffff7fffffff"],
      ["-9223372036854775808", "d38000000000000000"]
    ]
    for (const [value, expected] of cases) assert.strictEqual(written(BigInt(value)), expected)
  })

  it("reads back every int64 and byte string", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.uint8Array({ maxLength: 400 }),
        (n, bytes) => {
          const writer = new MsgpackWriter(1)
          writer.int(n)
          writer.binary(bytes, 0, bytes.length)
          const reader = new MsgpackReader(writer.take())
          assert.strictEqual(reader.int64(), n)
          reader.binary(400)
          assert.deepStrictEqual(reader.bytes.slice(reader.binaryStart, reader.binaryEnd), bytes)
          assert.isUndefined(reader.failure)
        }
      ),
      run
    )
  })

  it("skips values of every kind and refuses deep nesting", () => {
    const all =
      "c0c2c37fe0cc01cd0001ce00000001cf0000000000000001d0ffd1ffffd2ffffffffd3ffffffffffffffffca00000000cb0000000000000000" +
      "a161d90161da000161db0000000161c40100c5000100c60000000100930102038101028001de00010102df000000010102dc00010add000000010a" +
      "d400ffd500ffffd600ffffffffd700ffffffffffffffffd800ffffffffffffffffffffffffffffffffc70100ffc8000100ffc90000000100ff"
    const reader = new MsgpackReader(hex(all))
    while (reader.position < reader.end && reader.failure === undefined) reader.skip(1)
    assert.isUndefined(reader.failure)
    const deep = new MsgpackReader(hex("91".repeat(5000)))
    deep.skip(1)
    assert.strictEqual(deep.failure?.reason, "limit")
  })
})

describe("InfoFile", () => {
  const id = hex("101112131415161718191a1b1c1d1e1f")
  const variants: Array<[string, FilesetInfo, 1 | 2 | 3 | 4 | 5, string]> = [
    ["flush", info(), 5, Vectors.files.info],
    [
      "snapshot",
      info({ snapshotTime: BigInt("1609460000000000000"), snapshotId: id, volume: 3 }),
      5,
      "0192029bcf1655f29d787c0000cf0000068c6171400003019101921906cf1655f357bc33400000c410101112131415161718191a1b1c1d1e1f0301"
    ],
    ["V1", info({ minorVersion: 0 }), 1, "01920296cf1655f29d787c0000cf0000068c6171400003019101921906"],
    ["V2", info({ minorVersion: 0 }), 2, "01920298cf1655f29d787c0000cf0000068c61714000030191019219060000"],
    ["V3", info({ minorVersion: 0 }), 3, "01920299cf1655f29d787c0000cf0000068c61714000030191019219060000c0"],
    [
      "V4",
      info({ minorVersion: 0, volume: 2 }),
      4,
      "0192029acf1655f29d787c0000cf0000068c61714000030191019219060000c002"
    ],
    [
      "V5",
      info({ minorVersion: 0, volume: 2 }),
      5,
      "0192029bcf1655f29d787c0000cf0000068c61714000030191019219060000c00200"
    ]
  ]
  for (const [name, value, layout, bytes] of variants) {
    it(`writes and reads ${name}`, () => {
      assert.strictEqual(toHex(encodeInfo(value, layout)), bytes)
      assert.deepStrictEqual(must(decodeInfo(hex(bytes))), { info: value, layout, length: bytes.length / 2 })
    })
  }

  it("skips fields of later versions, also inside the nested objects", () => {
    const later = "0192029dcf1655f29d787c0000cf0000068c617140000301920107931906c00000c00001a16107"
    assert.deepStrictEqual(must(decodeInfo(hex(later))).info, info())
    assert.deepStrictEqual(
      must(decodeInfo(hex("01920297cf1655f29d787c0000cf0000068c6171400003019101921906c0"))).layout,
      1
    )
  })

  it("refuses sizes above the limits with the offset", () => {
    const hostile = must2(decodeInfo(hex("0192029b0000cf7fffffffffffffff0191019219060000c00001")))
    assert.strictEqual(hostile.offset, 6)
    assert.strictEqual(must2(decodeInfo(hex("01920295000000"))).reason, "malformed")
    assert.include(must2(decodeInfo(hex("0292029b"))).message, "object version 2")
    assert.include(must2(decodeInfo(hex("0192059b"))).message, "object type 5")
  })
})

const must2 = (value: unknown): Malformed => {
  if (!isMalformed(value)) throw new Error("decoded")
  return value
}

describe("IndexEntry", () => {
  it("writes the published entries", () => {
    const expected = [Vectors.entryFoo, Vectors.entryBar, Vectors.entryBaz]
    let offset = 0
    Vectors.series.forEach((one, i) => {
      const writer = new MsgpackWriter(4)
      const source = new Uint8Array([...one.id, ...one.tags])
      encodeIndexEntry(writer, i, source, 0, 3, source.length, one.bytes.length, offset, adler32(one.bytes))
      assert.strictEqual(toHex(writer.take()), expected[i])
      offset += one.bytes.length
    })
  })

  it("reads V1, V2, V3 and later entries", () => {
    const decoder = new IndexEntryDecoder()
    const later = new Uint8Array([...hex("0192059801c4036261720403ce00360017c0a16b"), 0xce, 0, 0, 0, 0])
    const sum = adler32(later.subarray(0, later.length - 5))
    new DataView(later.buffer).setUint32(later.length - 4, sum)
    for (
      const [bytes, layout] of [
        [hex("0192059501c4036261720403ce00360017"), 1],
        [hex("0192059601c4036261720403ce00360017c0"), 2],
        [hex(Vectors.entryBar), 3],
        [later, 3]
      ] as const
    ) {
      assert.strictEqual(decoder.read(bytes, 0, bytes.length), "entry")
      assert.deepStrictEqual(
        [
          decoder.layout,
          decoder.writeIndex,
          decoder.size,
          decoder.offset,
          decoder.checksum,
          decoder.tagsStart,
          decoder.next
        ],
        [layout, 1, 4, 3, 0x00360017, -1, bytes.length]
      )
      assert.deepStrictEqual(bytes.slice(decoder.idStart, decoder.idEnd), ascii("bar"))
    }
  })

  it("notices every flipped bit and every shortened entry", () => {
    const decoder = new IndexEntryDecoder()
    const bytes = hex(Vectors.entryBaz)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      // Fewer fields make an older entry, which leaves bytes over.
      const whole = decoder.read(flipped, 0, flipped.length) === "entry" && decoder.next === flipped.length
      assert.isFalse(whole, `bit ${bit}`)
    }
    for (let length = 0; length < bytes.length; length++) {
      assert.strictEqual(decoder.read(bytes, 0, length), "more")
      assert.isAbove(decoder.needed, length)
    }
  })
})

describe("Summaries", () => {
  it("writes, reads and searches", () => {
    const writer = new MsgpackWriter()
    encodeSummary(writer, 1, ascii("bar"), 0, 3, 0)
    assert.strictEqual(toHex(writer.take()), Vectors.files.summaries)
    encodeSummary(writer, 7, ascii("foo"), 0, 3, 900)
    const summaries = must(decodeSummaries(writer.take(), 2))
    const at = (id: string) => searchSummaries(summaries, ascii(id))
    assert.deepStrictEqual(["a", "bar", "ba", "fon", "foo", "zzz", ""].map(at), [0, 0, 0, 0, 900, 900, 0])
  })

  it("refuses other counts, orders and trailing bytes", () => {
    const writer = new MsgpackWriter()
    encodeSummary(writer, 1, ascii("foo"), 0, 3, 5)
    encodeSummary(writer, 1, ascii("bar"), 0, 3, 9)
    assert.include(must2(decodeSummaries(writer.take(), 2)).message, "not above")
    assert.include(must2(decodeSummaries(writer.take(), 1)).message, "after the last")
    assert.include(must2(decodeSummaries(writer.take(), 60_000_000)).message, "do not fit")
  })
})

const hexWords = (words: Uint32Array) => [...words].map((one) => one.toString(16).padStart(8, "0")).join("")

const halves = (id: Uint8Array, suffix: boolean) => {
  const [plain, suffixed] = [new Uint32Array(4), new Uint32Array(4)]
  murmur3X64Pair(plain, suffixed, id, 0, id.length)
  const out = suffix ? suffixed : plain
  return [(BigInt(out[0]!) << 32n) | BigInt(out[1]!), (BigInt(out[2]!) << 32n) | BigInt(out[3]!)]
}

describe("BloomFilter", () => {
  it("hashes as the published vectors", () => {
    const cases: Array<[string, string, string, string]> = [
      ["", "00000000000000000000000000000000", "7ace5c908374fe16", "778867e4430e6785"],
      ["hello", "cbd8a7b341bd9b025b1e906a48ae1d19", "b8ea181a11c6bf22", "5e839703b348769c"],
      ["0123456789abcde", "a62dd5f6c0bf23514fccf50c7c544cf0", "97287844a8f9327b", "68188b127b1950cd"],
      ["0123456789abcdef", "4be06d94cf4ad1a787c35b5c63a708da", "2442333c5ce05bc6", "eb64b8f4262afd6a"],
      ["foo", "e271865701f545617eaf87e42bba7d87", "1e8c37c00d346a63", "5babc122b0c2fd6e"],
      ["bar", "923658dbfd3ae604244fd74548bc56c0", "4343358359ceb465", "d6828b6bf4add3d6"],
      ["baz", "731f1bbda41b9d0af0d87e3f91f7e406", "ef723eab2877ae6f", "16f7fb7c9bd14760"]
    ]
    const [first, second] = [new Uint32Array(4), new Uint32Array(4)]
    for (const [id, plain, h2, h3] of cases) {
      murmur3X64Pair(first, second, ascii(id), 0, id.length)
      assert.strictEqual(hexWords(first), plain)
      assert.strictEqual(hexWords(second), h2 + h3)
    }
  })

  it("the hash of an id with its suffix is that of the longer id, at every length", () => {
    const [plain, suffixed, other] = [new Uint32Array(4), new Uint32Array(4), new Uint32Array(4)]
    for (let length = 0; length < 70; length++) {
      const id = Uint8Array.from({ length: length + 1 }, (_, i) => i === length ? 1 : (i * 37) & 0xff)
      murmur3X64Pair(plain, suffixed, id, 0, length)
      murmur3X64Pair(other, plain, id, 0, length + 1)
      assert.deepStrictEqual(suffixed, other)
    }
  })

  it("sizes as M3 does", () => {
    const cases = [[0, 9, 8], [1, 9, 8], [2, 17, 8], [3, 25, 8], [10, 82, 16], [33, 269, 40], [100, 815, 104]]
    for (const [entries, bits, bytes] of [...cases, [1000, 8143, 1024], [100_000, 814_237, 101_784]]) {
      assert.deepStrictEqual(optimalBloom(entries!), { bits: bits!, hashes: 6 })
      assert.strictEqual(bloomBytes(bits!), bytes)
    }
  })

  it("sets the published bits", () => {
    const filter = BloomFilter.forEntries(3)
    assert.deepStrictEqual(filter.locations(ascii("foo")), [22, 15, 5, 19, 19, 6])
    assert.deepStrictEqual(filter.locations(ascii("bar")), [12, 19, 19, 4, 2, 8])
    assert.deepStrictEqual(filter.locations(ascii("baz")), [20, 10, 5, 8, 11, 5])
    filter.add(ascii("foo"), 0, 3)
    assert.strictEqual(toHex(filter.bytes), "6080480000000000")
    assert.isTrue(filter.has(ascii("foo"), 0, 3))
    assert.isFalse(filter.has(ascii("bar"), 0, 3))
  })

  it("equals the formula in 64-bit integers for any id and size", () => {
    const mask = (1n << 64n) - 1n
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.integer({ min: 1, max: 500_000_000 }),
        fc.integer({ min: 1, max: 64 }),
        (id, bits, hashes) => {
          const filter = fakeFilter(bits, hashes)
          const h = [...halves(id, false), ...halves(id, true)]
          const expected = Array.from({ length: hashes }, (_, i) => {
            const factor = h[2 + Math.floor(((i + (i % 2)) % 4) / 2)]!
            return Number(((h[i % 2]! + BigInt(i) * factor) & mask) % BigInt(bits))
          })
          assert.deepStrictEqual(filter.locations(id), expected)
        }
      ),
      { ...run, numRuns: 100 }
    )
  })
})

/** A filter of any size without its bit set: only `locations` is asked. */
const fakeFilter = (bits: number, hashes: number): BloomFilter => {
  const filter = BloomFilter.empty(9, hashes)
  return Object.assign(must(filter), { bits, inverse: 1 / bits })
}

describe("DigestFile", () => {
  it("writes and reads the published digests", () => {
    const digests = must(decodeDigests(hex(Vectors.files.digest)))
    assert.deepStrictEqual(digests, {
      info: 0xc35f0969,
      index: 0xe4911d05,
      summaries: 0x12d5032a,
      bloomfilter: 0x0a03016a,
      data: 0x00ae002e
    })
    assert.strictEqual(toHex(encodeDigests(digests)), Vectors.files.digest)
    assert.strictEqual(toHex(encodeCheckpoint(hex(Vectors.files.digest))), Vectors.files.checkpoint)
    assert.strictEqual(must2(decodeDigests(new Uint8Array(21))).reason, "malformed")
  })
})

describe("adler32Combine", () => {
  it("equals the sum over both parts", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
        assert.strictEqual(
          adler32Combine(adler32(a), adler32(b), b.length),
          adler32(new Uint8Array([...a, ...b]))
        )
      }),
      run
    )
    const long = new Uint8Array(200_000).fill(255)
    const both = new Uint8Array(400_000).fill(255)
    assert.strictEqual(adler32Combine(adler32(long), adler32(long), long.length), adler32(both))
  })
})
