// Malformed input: every truncation and bit flip of small samples, field boundaries and seeded positions of large ones, hostile lengths.
// A decoder gives a value whose arrays lie within the bytes, or an error with its place; it never throws, hangs or allocates by a claim.
import { assert, describe, it } from "@effect/vitest"
import {
  decodeBase58Check,
  decodeHeader,
  decodeOperationList,
  decodePeerMessage,
  encodeOperationList,
  encodePeerMessage,
  Limits,
  Malformed,
  pathPosition,
  type PeerMessage,
  toHex,
  unpackFitness
} from "@peerstrap/tezos-wire"
import * as fc from "fast-check"
import { messageArbitraries } from "./messages.ts"
import { recordedFile, recordedJson, recordedLines, recordedMissing, sessionMessages, tagged } from "./recorded.ts"
import { bytes, eachVector } from "./vectors.ts"

const seed = 20_261_206

/** Numbers below 2^32 from a seed (xorshift). */
const seeded = () => {
  let state = seed
  return (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** Calls `visit` for every byte array in a decoded value; answers how many objects and arrays there are. */
const eachView = (value: unknown, visit: (view: Uint8Array) => void): number => {
  if (value instanceof Uint8Array) {
    visit(value)
    return 1
  }
  if (typeof value !== "object" || value === null) return 0
  let count = 1
  for (const key in value) count += eachView((value as Record<string, unknown>)[key], visit)
  return count
}

type Decode = (bytes: Uint8Array) => unknown

/** Decodes, and checks whatever comes out. */
const attempt = (decode: Decode, input: Uint8Array): unknown => {
  const value = decode(input)
  if (value instanceof Malformed) {
    if (!(value.offset >= 0 && value.offset <= input.length) || value.message.length === 0) {
      assert.fail(`error at ${value.offset} of ${input.length}: ${value.message}`)
    }
    return value
  }
  const end = input.byteOffset + input.length
  const objects = eachView(value, (view) => {
    if (view.buffer !== input.buffer) assert.fail("an array that is no view")
    if (view.byteOffset < input.byteOffset || view.byteOffset + view.length > end) {
      assert.fail("a view beyond the bytes")
    }
  })
  // The cheapest elements, empty fitness and components, have four bytes and more; fields of messages are few.
  if (objects > 40 + input.length) assert.fail(`${objects} objects from ${input.length} bytes`)
  return value
}

/** What a changed message decodes to is written to the same bytes, or was tolerated on reading only. */
const rewrites = (value: unknown, input: Uint8Array): void => {
  if (value instanceof Malformed) return
  const message = value as PeerMessage
  try {
    const again = encodePeerMessage(message)
    if (message._tag !== "Protocol" && Buffer.compare(again, input) !== 0) assert.fail(`${message._tag} changed`)
  } catch (defect) {
    const tolerated = message._tag === "Advertise" || message._tag === "SwapAck" || message._tag === "SwapRequest"
    if (!tolerated || !(defect instanceof RangeError)) throw defect
  }
}

const hostile = [0, 1, 0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

/** Where fields begin and end. */
const boundaries = (decode: Decode, sample: Uint8Array): ReadonlyArray<number> => {
  const found = new Set<number>([0, 1, 2, sample.length])
  eachView(decode(sample), (view) => {
    found.add(view.byteOffset - sample.byteOffset)
    found.add(view.byteOffset - sample.byteOffset + view.length)
  })
  return [...found].flatMap((at) => [at - 1, at, at + 1]).filter((at) => at >= 0 && at <= sample.length)
}

const fuzzLengths = (decode: Decode, sample: Uint8Array, places: Iterable<number>) => {
  const copy = sample.slice()
  const view = new DataView(copy.buffer)
  for (const at of places) {
    if (at + 4 > copy.length) continue
    const before = view.getUint32(at)
    for (const length of hostile) {
      view.setUint32(at, length)
      attempt(decode, copy)
    }
    view.setUint32(at, before)
  }
}

const fuzzSmall = (decode: Decode, sample: Uint8Array, check: (value: unknown, input: Uint8Array) => void) => {
  for (let length = 0; length < sample.length; length++) attempt(decode, sample.subarray(0, length))
  const copy = sample.slice()
  for (let bit = 0; bit < 8 * copy.length; bit++) {
    copy[bit >> 3]! ^= 1 << (bit & 7)
    check(attempt(decode, copy), copy)
    copy[bit >> 3]! ^= 1 << (bit & 7)
  }
  fuzzLengths(decode, sample, sample.keys())
}

const fuzzLarge = (decode: Decode, sample: Uint8Array) => {
  const below = seeded()
  const places = boundaries(decode, sample)
  // Elements of long lists are alike: their boundaries are taken in turn.
  const some = places.filter((_, i) => i < 400 || i % Math.ceil(places.length / 800) === 0)
  const copy = sample.slice()
  for (const at of some) {
    attempt(decode, sample.subarray(0, at))
    if (at === sample.length) continue
    for (const change of [0x01, 0x80, 0xff]) {
      copy[at]! ^= change
      attempt(decode, copy)
      copy[at]! ^= change
    }
  }
  fuzzLengths(decode, sample, some.map((at) => at - 3).filter((at) => at >= 0))
  for (let i = 0; i < 5_000; i++) {
    const at = below(sample.length)
    if (i % 2 === 0) {
      attempt(decode, sample.subarray(0, at))
      continue
    }
    const change = 1 << below(8)
    copy[at]! ^= change
    attempt(decode, copy)
    copy[at]! ^= change
  }
}

/** One message of each kind, then recorded ones of each kind that the recorded session has. */
const samples = (): ReadonlyArray<readonly [string, Uint8Array]> => {
  const made = Object.entries(messageArbitraries).map(([name, arbitrary]) => {
    const some = fc.sample<PeerMessage>(arbitrary, { seed, numRuns: 20 }).map(encodePeerMessage)
    return [name, some.filter(({ length }) => length <= 1_024).toSorted((a, b) => b.length - a.length)[0]!] as const
  })
  const kinds = new Map<string, Uint8Array>()
  for (const body of recordedMissing === undefined ? sessionMessages() : []) {
    const key = `recorded 0x${toHex(body.subarray(0, 2))}, ${body.length < 300 ? "small" : "large"}`
    if (body.length <= 2_048 && !kinds.has(key)) kinds.set(key, body)
  }
  return [...made, ...kinds]
}

const filled = (tag: number, size: number, head: ReadonlyArray<number> = []) => {
  const body = new Uint8Array(2 + size)
  body.set([0, tag, ...head])
  return body
}

describe("hostile bytes", () => {
  if (recordedMissing !== undefined) console.warn(recordedMissing)
  console.log(`fuzz seed ${seed}`)

  const all = samples()

  it("there are at least 24 samples, 34 with the recorded ones", () => {
    assert.isAtLeast(all.length, recordedMissing === undefined ? 34 : 24)
  })

  for (const [name, sample] of all) {
    it(`${name}: ${sample.length} bytes, every truncation, bit flip and length`, () => {
      rewrites(attempt(decodePeerMessage, sample), sample)
      fuzzSmall(decodePeerMessage, sample, rewrites)
    })
  }

  const large = it.skipIf(recordedMissing !== undefined)

  it("a branch of 174 entries", () => {
    eachVector("current_branch_body", 1, ({ input }) => fuzzLarge(decodePeerMessage, tagged(0x11, bytes(input.hex))))
  })

  large("the longest list of 1,327 blocks, and one of 700 operations", () => {
    const [, ...blocks] = recordedLines("blocks/carthagenet-ops-2-1328.jsonl.gz")
    const bodies = blocks.flatMap((each) => each.bodies as ReadonlyArray<string>)
    const longest = tagged(0x61, bytes(bodies.toSorted((a, b) => b.length - a.length)[0]!))
    assert.isAbove(longest.length, 2_048)
    fuzzLarge(decodePeerMessage, longest)
    const operations = recordedJson("chains/multi-chunk-3.json.gz").blocks[1].operations.flat().map(bytes)
    assert.strictEqual(operations.length, 700)
    const list = { _tag: "OperationsForBlocks", block: new Uint8Array(32), pass: 0, path: Uint8Array.of(0), operations }
    fuzzLarge(decodePeerMessage, encodePeerMessage(list as PeerMessage))
  })

  large("a header of 754,032 bytes", () => {
    const raw = recordedFile("blocks/ghostnet-level1-header.bin.gz")
    fuzzLarge(decodeHeader, raw)
    fuzzLarge(decodePeerMessage, tagged(0x21, raw))
  })

  it("lists of operations, paths and packed fitness", () => {
    const list = encodeOperationList([new Uint8Array(32), new Uint8Array(50).fill(7), new Uint8Array(33).fill(9)])
    fuzzSmall(decodeOperationList, list, (value, input) => {
      if (value instanceof Malformed) return
      assert.strictEqual(toHex(encodeOperationList(value as ReadonlyArray<Uint8Array>)), toHex(input))
    })
    const path = Uint8Array.from([0xf0, 0x0f, ...new Uint8Array(32), 0x00, ...new Uint8Array(32)])
    fuzzSmall(pathPosition, path, () => {})
    fuzzSmall(unpackFitness, bytes("000000020000000102000000040000000a"), () => {})
  })

  it("random bytes behind every tag, and random text", () => {
    const body = fc.tuple(fc.nat(0x9f), fc.uint8Array({ maxLength: 400, size: "max" }))
    fc.assert(
      fc.property(body, ([tag, rest]) => {
        const input = tagged(tag, rest)
        rewrites(attempt(decodePeerMessage, input), input)
      }),
      { seed, numRuns: 5_000 }
    )
    fc.assert(fc.property(fc.string(), (text) => void decodeBase58Check(text)), { seed, numRuns: 300 })
  })

  it("the most objects that bytes can claim stay below the limits", () => {
    attempt(decodePeerMessage, filled(0x03, Limits.maxFrameBytes - 2))
    attempt(decodePeerMessage, filled(0x21, Limits.maxHeaderBytes))
    attempt(decodePeerMessage, filled(0x41, Limits.maxProtocolBytes, [0, 1, 0, 0x1f, 0xff, 0xfa]))
    // 29,127 operations without data fill one list.
    const operations = new Uint8Array(36 * 29_127)
    for (let at = 3; at < operations.length; at += 36) operations[at] = 32
    const decoded = attempt(decodeOperationList, operations)
    assert.strictEqual((decoded as ReadonlyArray<Uint8Array>).length, 29_127)
  })
})
