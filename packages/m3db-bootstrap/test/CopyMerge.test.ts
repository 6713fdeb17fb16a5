import { assert, describe, it } from "@effect/vitest"
import { keepPoints, raiseValues } from "@peerstrap/m3db-wire/testing"
import { adler32, type Datapoints, decodeBlock, encodeBlock, mostReplicas } from "@peerstrap/m3tsz"
import { describePoints, generateDatapoints } from "@peerstrap/m3tsz/testing"
import { noChecksum } from "@peerstrap/metadata-grouping"
import { type HeldCopy, type MergeOptions, settleCopies, type Stored } from "../src/engine/CopyMerge.ts"
import { blockSize, firstBlock } from "./support/SimulatedCluster.ts"

const options: MergeOptions = {
  required: 2,
  blockStart: firstBlock,
  blockSize,
  mutable: false,
  encoding: "m3tsz",
  rule: mostReplicas,
  maxPoints: 1000
}

const points = generateDatapoints({ seed: 1, blockStart: firstBlock, blockSize, points: 12, shape: "int", unit: 1 })
const odd = keepPoints(points, (at) => at % 2 === 1)
const even = keepPoints(points, (at) => at % 2 === 0)

const stream = (of: Datapoints, start = firstBlock): Uint8Array => {
  const encoded = encodeBlock(of, start)
  if ("_tag" in encoded) throw new Error(encoded.message)
  return encoded.bytes
}

const copy = (peer: number, segments: ReadonlyArray<Uint8Array>, asAdvertised = true): HeldCopy => ({
  peer,
  peerId: "ABCDE"[peer]!,
  segments,
  checksum: segments.length === 1 ? adler32(segments[0]!) : noChecksum,
  bytes: segments.reduce((sum, one) => sum + one.length, 0),
  asAdvertised
})

const stored = (copies: ReadonlyArray<HeldCopy>, given: Partial<MergeOptions> = {}): Stored => {
  const merged = settleCopies(copies, { ...options, ...given })
  if (merged._tag !== "one" && merged._tag !== "merged") throw new Error(`${merged._tag}`)
  return merged
}

const storedPoints = (copies: ReadonlyArray<HeldCopy>, given: Partial<MergeOptions> = {}): Array<string> => {
  const decoded = decodeBlock(stored(copies, given).pieces, { maxPoints: 1000 })
  if ("_tag" in decoded) throw new Error(decoded.message)
  return describePoints(decoded)
}

const garbage = Uint8Array.of(0xff, 0xff)

describe("copies that say the same", () => {
  it("equal bytes are stored as they came, not even decoded", () => {
    const same = [copy(0, [garbage]), copy(1, [garbage])]
    const { _tag, checksum, pieces } = stored(same)
    assert.deepStrictEqual([_tag, checksum, pieces[0]], ["one", adler32(garbage), garbage])
  })

  it("equal points in other bytes are stored as one of the copies", () => {
    const split = copy(0, [stream(even), stream(odd)])
    const whole = copy(1, [stream(points)])
    assert.strictEqual(stored([split, whole])._tag, "one")
    assert.deepStrictEqual(stored([split, whole]).pieces[0], whole.segments[0])
  })

  it("layers of one copy are merged and encoded anew when nobody has them whole", () => {
    const merged = stored([copy(0, [stream(even), stream(odd)])], { required: 1 })
    assert.strictEqual(merged._tag, "merged")
    assert.strictEqual(merged.checksum, adler32(merged.pieces[0]!))
    assert.deepStrictEqual(
      storedPoints([copy(0, [stream(even), stream(odd)])], { required: 1 }),
      describePoints(points)
    )
  })
})

describe("copies that differ", () => {
  const truth = stream(points)
  const lie = stream(raiseValues(points))

  it("give the union of their points, whatever the order", () => {
    const copies = [copy(0, [stream(odd)]), copy(1, [stream(even)])]
    assert.deepStrictEqual(storedPoints(copies), describePoints(points))
    assert.deepStrictEqual(stored(copies).pieces, stored(copies.toReversed()).pieces)
  })

  it("of a block that is immutable: who broke his word is left out when enough kept theirs", () => {
    const copies = [copy(0, [lie], false), copy(1, [truth]), copy(2, [stream(even)])]
    assert.deepStrictEqual(storedPoints(copies), describePoints(points))
    // One faithful copy is not enough for two: then all take part, and the smallest peer wins the tie.
    assert.deepStrictEqual(storedPoints(copies.slice(0, 2)), describePoints(raiseValues(points)))
  })

  it("of a block that still changes: who differs from his listing is newer, and takes part", () => {
    const copies = [copy(0, [stream(odd), stream(even)], false), copy(1, [stream(even)]), copy(2, [stream(even)])]
    assert.deepStrictEqual(storedPoints(copies, { mutable: true }), describePoints(points))
    assert.deepStrictEqual(storedPoints(copies), describePoints(even))
  })
})

describe("copies that cannot be used", () => {
  it("who does not decode is left out and named when the others suffice", () => {
    const merged = stored([copy(0, [garbage]), copy(1, [stream(odd)]), copy(2, [stream(even)])])
    assert.deepStrictEqual(merged.bad.map(({ copy: { peerId } }) => peerId), ["A"])
  })

  it("and makes the whole undecidable when they do not", () => {
    const merged = settleCopies([copy(0, [garbage]), copy(1, [stream(odd)])], options)
    assert.strictEqual(merged._tag, "undecodable")
    assert.deepStrictEqual("bad" in merged ? merged.bad.map(({ copy: { peerId } }) => peerId) : [], ["A"])
  })

  it("points outside of the block make a copy unusable", () => {
    const late = generateDatapoints({
      seed: 1,
      blockStart: firstBlock + blockSize,
      blockSize,
      points: 3,
      shape: "int",
      unit: 1
    })
    const merged = settleCopies([copy(0, [stream(late, firstBlock + blockSize)]), copy(1, [stream(odd)])], options)
    assert.strictEqual(merged._tag, "undecodable")
    assert.include("bad" in merged ? merged.bad[0]!.detail : "", "outside of the block")
  })

  it("more points than allowed make a copy unusable", () => {
    const merged = settleCopies([copy(0, [stream(points)]), copy(1, [stream(odd)])], { ...options, maxPoints: 8 })
    assert.strictEqual(merged._tag, "undecodable")
  })

  it("Protobuf: one stream is copied, equal ones too, others are refused", () => {
    const encoding = "protobuf" as const
    assert.strictEqual(stored([copy(0, [garbage])], { encoding, required: 1 })._tag, "one")
    assert.strictEqual(stored([copy(0, [garbage]), copy(1, [garbage])], { encoding })._tag, "one")
    const refused = settleCopies([copy(0, [garbage]), copy(1, [stream(odd)])], { ...options, encoding })
    assert.strictEqual(refused._tag, "refused")
    assert.include("detail" in refused ? refused.detail : "", "Protobuf")
  })
})
