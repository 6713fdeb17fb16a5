// Headers of real networks from 2018 to 2026: fields, hash, order of fitness, and back to the same bytes.
import { assert, describe, it } from "@effect/vitest"
import {
  compareFitness,
  comparePackedFitness,
  decodeHash,
  decodeHeader,
  decodeToJson,
  encodeHash,
  encodeHeader,
  type HeaderContent,
  headerHash,
  Limits,
  packFitness,
  protocolFields,
  toHex,
  unpackFitness
} from "@peerstrap/tezos-wire"
import * as fc from "fast-check"
import { digests } from "./digests.ts"
import { recordedFile, recordedJson, recordedMissing, refused, sound } from "./recorded.ts"
import { bytes, eachVector } from "./vectors.ts"

const run = { seed: 20_261_203 }

/** Checks all fields that `expected` (in the vectors' form) names. */
const checkHeader = (raw: Uint8Array, expected: any) => {
  const described = sound(decodeToJson("header", raw, digests)) as any
  for (const [key, value] of Object.entries(expected)) {
    if (key === "protocol_data_length") assert.strictEqual(described.protocol_data.length / 2, value)
    else if (key !== "protocol_data" || !String(value).includes("…")) assert.deepStrictEqual(described[key], value, key)
  }
  assert.strictEqual(toHex(encodeHeader(sound(decodeHeader(raw)))), toHex(raw))
}

const carthagenet45000 = {
  raw:
    "0000afc80293f070c071e5b0253e84ddee22c897ba60378de233235e2fe36b2892cae7faf6000000005df96cdd04b56f4de93431b9c2ff8db1cba2"
    + "1992b54495d27be8457259c230b39218aa437100000011000000010100000008000000000000afc7ec05a42cbcda81468f84261b1d0150f24fe0f00"
    + "423151d6e2ca20fe960b857cd0001b1a7b92b3a4c05000031e121bfdf9ad3a9c11029236dab9a9bad2a82c6ddc9ffe53b884c7782a88a5dc826044b"
    + "8f771f7c3f1b706c66e9d7a2e97abfdd1b65fdfef01fb4ae8e06ae08",
  hash: "BLg5rN8iXmMsvHYaNNDcKDxWLZHLd7P9W6JqmUzSWchWg3Tjz5u"
}

describe("block headers", () => {
  if (recordedMissing !== undefined) console.warn(recordedMissing)

  it("one of Carthagenet", () => {
    checkHeader(bytes(carthagenet45000.raw), {
      hash: carthagenet45000.hash,
      level: 45_000,
      proto: 2,
      predecessor: "BLqSF8Ygr5StTZbTQnSHgUJ7kqhehQZ6sSUZjiWvxs7q8GUpRJ3",
      timestamp: 1_576_627_421,
      time: "2019-12-18T00:03:41.000Z",
      validation_pass: 4,
      operations_hash: "LLoahcXBJnEf3sVtZatccb1oCyJRB76yk8CpGwWrJir4WJKvEjzav",
      fitness: ["01", "000000000000afc7"],
      context: "CoWSFir6DJyUH4LGWUsLhU8W9axrDNuc9scTZGmeoNLW3gLRcrBz",
      protocol: { era: "emmy", priority: 1, seed_nonce_hash: null }
    })
  })

  it("of the recorded vectors", () => {
    eachVector("block_header", 11, ({ expected, input }) => checkHeader(bytes(input.hex), expected))
  })

  it.skipIf(recordedMissing !== undefined)("of recorded sessions, 579 of them, and their consecutive runs link", () => {
    const { headers } = recordedJson("blocks/carthagenet-headers.json")
    assert.strictEqual(headers.length, 579)
    const byLevel = new Map<number, { readonly hash: string; readonly predecessor: string }>()
    for (const { hash, hex, level } of headers) {
      const raw = bytes(hex)
      const header = sound(decodeHeader(raw))
      assert.strictEqual(encodeHash("block", headerHash(digests, header.raw)), hash)
      assert.strictEqual(header.level, level)
      assert.strictEqual(toHex(encodeHeader(header)), hex)
      byLevel.set(level, { hash, predecessor: encodeHash("block", header.predecessor) })
    }
    let links = 0
    for (const [level, { predecessor }] of byLevel) {
      const below = byLevel.get(level - 1)
      if (below === undefined) continue
      assert.strictEqual(predecessor, below.hash)
      links++
    }
    assert.strictEqual(links, 148)
  })

  it.skipIf(recordedMissing !== undefined)("single ones, and one of 754,032 bytes", () => {
    for (const { expected, hex } of recordedJson("blocks/single-headers.json").headers) {
      checkHeader(bytes(hex), expected)
    }
    const raw = recordedFile("blocks/ghostnet-level1-header.bin.gz")
    assert.strictEqual(raw.length, 754_032)
    checkHeader(raw, {
      hash: "BLAuTiHQdSCXXhfDvv417JKsM8bYT5tNsrpmWyJiMrMdYJNuoLP",
      level: 1,
      validation_pass: 0,
      protocol: { era: "activation" }
    })
  })

  it.skipIf(recordedMissing !== undefined)("payload hashes of Tenderbake headers are where they are read", () => {
    let seen = 0
    for (const { expected, blocks } of [recordedJson("chains/linear-300.json.gz")]) {
      for (const { hash, payload_hash: payload } of expected.blocks) {
        if (payload === null) continue
        const block = blocks.find((each: any) => each.hash === hash)
        const fields = protocolFields(sound(decodeHeader(bytes(block.header_hex))))
        assert.strictEqual(fields.era, "tenderbake")
        if (fields.era === "tenderbake") assert.strictEqual(encodeHash("payload", fields.payloadHash), payload)
        seen++
      }
    }
    assert.isAtLeast(seen, 5)
  })
})

const content: HeaderContent = {
  level: 7,
  proto: 1,
  predecessor: new Uint8Array(32).fill(1),
  timestamp: 1_700_000_000,
  validationPass: 4,
  operationsHash: new Uint8Array(32).fill(2),
  fitness: [Uint8Array.of(2), new Uint8Array(0), Uint8Array.of(0, 0, 0, 7)],
  context: new Uint8Array(32).fill(3),
  protocolData: Uint8Array.of(9, 9)
}

const elementsOf = (count: number) => Array.from({ length: count }, () => new Uint8Array(8))

describe("header codec", () => {
  it("round trips any header", () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const header = fc.record({
      level: fc.integer(),
      proto: fc.nat(255),
      predecessor: hash,
      timestamp: fc.maxSafeInteger(),
      validationPass: fc.nat(255),
      operationsHash: hash,
      fitness: fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 6 }),
      context: hash,
      protocolData: fc.uint8Array({ maxLength: 300 })
    })
    fc.assert(
      fc.property(header, (fields) => {
        const raw = encodeHeader(fields)
        assert.deepStrictEqual(sound(decodeHeader(raw)), { ...fields, raw })
      }),
      { ...run, numRuns: 200 }
    )
  })

  it("gives views on what it was given, also for a Buffer inside another", () => {
    const inside = Buffer.from(Uint8Array.from([1, 2, 3, ...encodeHeader(content)])).subarray(3)
    const header = sound(decodeHeader(inside))
    const held = [header.raw, header.predecessor, header.operationsHash, header.context, header.protocolData]
    for (const view of [...held, ...header.fitness]) {
      assert.strictEqual(view.buffer, inside.buffer)
      assert.strictEqual(view.constructor, Uint8Array)
    }
    assert.strictEqual(header.raw.byteOffset, inside.byteOffset)
    assert.deepStrictEqual(sound(decodeHeader(header.raw)), header)
  })

  it("ends at 8 MiB and begins at 114 bytes", () => {
    const room = Limits.maxHeaderBytes - encodeHeader(content).length + content.protocolData.length
    const largest = encodeHeader({ ...content, protocolData: new Uint8Array(room) })
    assert.strictEqual(largest.length, 8 * 1024 * 1024)
    assert.strictEqual(sound(decodeHeader(largest)).protocolData.length, room)
    const above = new Uint8Array(largest.length + 1)
    above.set(largest)
    assert.match(refused(decodeHeader(above)).message, /8388609/)
    assert.throws(() => encodeHeader({ ...content, protocolData: new Uint8Array(room + 1) }), RangeError, "8388609")
    const empty = encodeHeader({ ...content, fitness: [], protocolData: new Uint8Array(0) })
    assert.strictEqual(empty.length, 114)
    sound(decodeHeader(empty))
    refused(decodeHeader(empty.subarray(1)))
  })

  it("times beyond safe integers are refused, the greatest ones are read", () => {
    const raw = encodeHeader(content)
    const at = (text: string) => {
      const copy = raw.slice()
      copy.set(bytes(text), 37)
      return decodeHeader(copy)
    }
    assert.strictEqual(sound(at("001fffffffffffff")).timestamp, Number.MAX_SAFE_INTEGER)
    assert.strictEqual(sound(at("ffe0000000000001")).timestamp, Number.MIN_SAFE_INTEGER)
    assert.strictEqual(sound(at("ffffffffffffffff")).timestamp, -1)
    for (const text of ["0020000000000000", "7fffffffffffffff", "8000000000000000", "ffe0000000000000"]) {
      assert.strictEqual(refused(at(text)).offset, 37)
    }
  })

  it("fitness: read up to 1,024 bytes, written up to 96, elements within their list", () => {
    const raw = encodeHeader({ ...content, fitness: [], protocolData: new Uint8Array(0) })
    const fitted = (size: number, fill: (view: DataView) => void) => {
      const all = new Uint8Array(114 + size)
      all.set(raw.subarray(0, 82))
      const view = new DataView(all.buffer)
      view.setUint32(78, size)
      fill(view)
      return decodeHeader(all)
    }
    assert.strictEqual(sound(fitted(1_024, () => {})).fitness.length, 256)
    assert.strictEqual(refused(fitted(1_028, () => {})).offset, 78)
    assert.strictEqual(refused(fitted(8, (view) => view.setUint32(82, 5))).offset, 82)
    assert.strictEqual(refused(fitted(7, () => {})).offset, 86)
    assert.strictEqual(sound(decodeHeader(encodeHeader({ ...content, fitness: elementsOf(8) }))).fitness.length, 8)
    assert.throws(() => encodeHeader({ ...content, fitness: elementsOf(9) }), RangeError, "108")
  })

  it("fields that do not fit are a defect of the caller", () => {
    const wrong: ReadonlyArray<Partial<HeaderContent>> = [
      { level: 2 ** 31 },
      { level: 1.5 },
      { proto: 256 },
      { proto: -1 },
      { timestamp: 2 ** 53 },
      { timestamp: 0.5 },
      { validationPass: 256 },
      { predecessor: new Uint8Array(31) },
      { operationsHash: new Uint8Array(33) },
      { context: new Uint8Array(0) }
    ]
    for (const part of wrong) assert.throws(() => encodeHeader({ ...content, ...part }), RangeError, / (?:is|has) /)
  })
})

describe("fitness", () => {
  it("is ordered as in the recorded vectors", () => {
    eachVector("fitness_order", 6, ({ expected, input }) => {
      const [a, b] = [input.a.map(bytes), input.b.map(bytes)]
      assert.strictEqual(Math.sign(compareFitness(a, b)), expected.sign)
      assert.strictEqual(Math.sign(compareFitness(b, a)), 0 - expected.sign)
      assert.strictEqual(Math.sign(comparePackedFitness(packFitness(a), packFitness(b))), expected.sign)
    })
    const longer = [[Uint8Array.of(0xff)], [Uint8Array.of(0, 0)]] as const
    assert.isBelow(compareFitness(...longer), 0, "a longer element wins over a greater one")
  })

  it("packed is ordered alike and unpacks to the same", () => {
    const fitness = fc.array(fc.uint8Array({ maxLength: 3, max: 3 }), { maxLength: 4 })
    fc.assert(
      fc.property(fitness, fitness, (a, b) => {
        const order = Math.sign(compareFitness(a, b))
        assert.strictEqual(Math.sign(comparePackedFitness(packFitness(a), packFitness(b))), order)
        assert.strictEqual(Math.sign(compareFitness(b, a)), 0 - order)
        assert.deepStrictEqual(sound(unpackFitness(packFitness(a))), a)
      }),
      { ...run, numRuns: 300 }
    )
    refused(unpackFitness(bytes("7fffffff")))
    refused(unpackFitness(bytes("0000000100000001")))
    refused(unpackFitness(bytes("0000000000")))
  })
})

const nonces = (headers: ReadonlyArray<string>) =>
  headers.map((hex) => protocolFields(sound(decodeHeader(bytes(hex)))))
    .filter((fields) => "seedNonceHash" in fields && fields.seedNonceHash !== undefined).length

describe("protocol data", () => {
  it("that is not recognised is unknown, of whatever length", () => {
    const kinds = [[2, 4, 0, 4, 4], [1, 8], [0, 8], [5], []]
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.nat(4),
        fc.uint8Array({ maxLength: 200 }),
        (lengths, era, protocolData) => {
          const fitness = lengths.map((length, i) => i === 0 ? Uint8Array.of(era) : new Uint8Array(length))
          const fields = protocolFields({ ...content, fitness, protocolData })
          if (fields.era === "tenderbake") assert.isAtLeast(protocolData.length, 110)
          if (fields.era === "emmy") assert.isAtLeast(protocolData.length, 75)
        }
      ),
      { ...run, numRuns: 300 }
    )
  })

  it.skipIf(recordedMissing !== undefined)("seed nonce hashes of either era are found", () => {
    const emmy = recordedJson("blocks/carthagenet-headers.json").headers.map(({ hex }: any) => hex)
    assert.strictEqual(nonces(emmy), emmy.filter((hex: string) => hex.length === 2 * 238).length)
    assert.isAbove(nonces(emmy), 5)
    const tenderbake = recordedJson("chains/linear-300.json.gz").blocks.map((block: any) => block.header_hex)
    assert.strictEqual(nonces(tenderbake), tenderbake.filter((hex: string) => hex.length === 2 * 289).length)
    assert.isAbove(nonces(tenderbake), 5)
  })

  it("a presence byte that is neither 00 nor ff is not taken for one", () => {
    const header = sound(decodeHeader(bytes(carthagenet45000.raw)))
    for (const presence of [0x01, 0xfe]) {
      const protocolData = new Uint8Array(200)
      protocolData.set(header.protocolData)
      protocolData[10] = presence
      assert.strictEqual(protocolFields({ ...header, protocolData: protocolData.subarray(0, 107) }).era, "unknown")
    }
    const protocolData = new Uint8Array(107)
    protocolData[10] = 0xff
    const fields = protocolFields({ ...header, protocolData })
    assert.isTrue(fields.era === "emmy" && fields.seedNonceHash?.length === 32)
  })

  it("decodes the hash of the vector's own header", () => {
    const fields = protocolFields(sound(decodeHeader(bytes(carthagenet45000.raw))))
    assert.deepStrictEqual(fields, { era: "emmy", priority: 1, seedNonceHash: undefined })
    assert.strictEqual(
      toHex(headerHash(digests, bytes(carthagenet45000.raw))),
      toHex(sound(decodeHash("block", carthagenet45000.hash)))
    )
  })
})
