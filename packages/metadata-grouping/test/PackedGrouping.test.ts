/** What the packed columns promise beyond the contract: memory to the byte, refusal, and calm under hostile ids. */
import { assert, describe, it } from "@effect/vitest"
import { type Grouping, Limits, makePackedGrouping, type PackedGrouping } from "@peerstrap/metadata-grouping"
import { halfSipHash } from "@peerstrap/metadata-grouping/testing"

const encoder = new TextEncoder()
const none = new Uint8Array(0)

const report = (grouping: Grouping, peer: number, id: Uint8Array, tags: Uint8Array = none, startLo = 0): number => {
  const buffer = new Uint8Array(id.length + tags.length)
  buffer.set(id)
  buffer.set(tags, id.length)
  return grouping.report(peer, buffer, 0, id.length, id.length, tags.length, 0, startLo, 1, 1)
}

const flood = (grouping: PackedGrouping, ids: ReadonlyArray<Uint8Array>): number => {
  ids.forEach((id, index) => assert.strictEqual(report(grouping, 0, id), index))
  ids.forEach((id) => grouping.find(id, 0, id.length, 0, 0))
  return grouping.probes / ids.length
}

const idOf = (length: number, index: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + length + index) & 255)

/** A column of twenty rows. */
const column = (of: (row: number) => number) => Int32Array.from({ length: 20 }, (_, row) => of(row))

const refused = (options: Parameters<typeof makePackedGrouping>[0], name: string) =>
  assert.throws(() => makePackedGrouping(options), RangeError, name)

describe("memory", () => {
  it("is nothing before the first report and exactly columns, slots and chunks after it", () => {
    const grouping = makePackedGrouping({ peerCount: 3, maxGroups: 1000, initialGroups: 8 })
    assert.strictEqual(grouping.bytes, 0)
    report(grouping, 0, encoder.encode("a"), encoder.encode("tags"))
    const groupRows = 8 * (5 + 3 * 2) * 4
    const seriesRows = 8 * 32
    const slots = 16 * 4
    assert.strictEqual(grouping.bytes, groupRows + seriesRows + slots + Limits.minChunkBytes)
    report(grouping, 0, encoder.encode("a"), none, 1)
    assert.strictEqual(grouping.bytes, groupRows + seriesRows + 2 * slots + Limits.minChunkBytes)
  })

  it("is what the process's array buffers grow by", () => {
    const ids = Array.from({ length: 40_000 }, (_, n) => encoder.encode(`an-id-of-some-length-${n}`.repeat(3)))
    const buffer = new Uint8Array(200)
    const before = process.memoryUsage().arrayBuffers
    const grouping = makePackedGrouping({ peerCount: 3, maxGroups: 100_000 })
    for (const id of ids) {
      buffer.set(id)
      grouping.report(0, buffer, 0, id.length, 0, 0, 0, 0, 1, 1)
    }
    const grown = process.memoryUsage().arrayBuffers - before
    // Outgrown columns may not have been collected yet, so the process may hold more, never less.
    assert.isAtLeast(grown, grouping.bytes)
    assert.isAtMost(grown, grouping.bytes * 2.1)
  })

  it("stores an id and its tags once for all block starts", () => {
    const id = new Uint8Array(1000).fill(1)
    const tags = new Uint8Array(1000).fill(2)
    const grouping = makePackedGrouping({ peerCount: 1, maxGroups: 1024, initialGroups: 1024 })
    report(grouping, 0, id, tags, 0)
    for (let start = 1; start < 600; start++) report(grouping, 0, id, tags, start)
    assert.deepStrictEqual([grouping.groupCount, grouping.seriesCount], [600, 1])
    assert.isBelow(grouping.bytes, 1024 * (28 + 32 + 8) + 3 * Limits.minChunkBytes)
    assert.deepStrictEqual(grouping.tags(599), tags)
  })

  it("never passes maxBytes: refuses, keeps what it has, still takes reports of known groups", () => {
    const maxBytes = 100_000
    const grouping = makePackedGrouping({ peerCount: 2, maxGroups: 100_000, maxBytes, initialGroups: 4 })
    for (let n = 0; n < 5000; n++) {
      report(grouping, 0, encoder.encode(`series-${n}`), encoder.encode(`tags-${n}`))
      assert.isAtMost(grouping.bytes, maxBytes)
    }
    assert.isAbove(grouping.groupCount, 100)
    assert.strictEqual(grouping.refused, 5000 - grouping.groupCount)
    for (let n = 0; n < grouping.groupCount; n++) {
      assert.strictEqual(report(grouping, 1, encoder.encode(`series-${n}`)), n)
      assert.deepStrictEqual(grouping.tags(n), encoder.encode(`tags-${n}`))
    }
    const ready: Array<number> = []
    grouping.drainReady(ready)
    assert.strictEqual(ready.length, grouping.groupCount)
  })

  it("refuses a report whose tags find no room, and leaves no group without a reporter", () => {
    const grouping = makePackedGrouping({ peerCount: 1, maxGroups: 10, maxBytes: 6000, initialGroups: 4 })
    assert.strictEqual(report(grouping, 0, encoder.encode("a"), new Uint8Array(6000).fill(1)), -1)
    assert.deepStrictEqual([grouping.groupCount, grouping.refused], [0, 1])
    assert.strictEqual(report(grouping, 0, encoder.encode("a")), 0)
    assert.strictEqual(grouping.reporters(0), 1)
  })
})

describe("hostile ids", () => {
  it("50,000 ids that collide under a usual unkeyed hash (h·31 + byte) cost a few probes each", () => {
    const pairs = ["Aa", "BB"]
    const ids = Array.from(
      { length: 50_000 },
      (_, n) => encoder.encode(Array.from({ length: 16 }, (_, bit) => pairs[(n >> bit) & 1]).join(""))
    )
    const unkeyed = ids.map((id) => id.reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 0))
    assert.strictEqual(new Set(unkeyed).size, 1)
    assert.isBelow(flood(makePackedGrouping({ peerCount: 2, maxGroups: 50_000 }), ids), 6)
  })

  it("ids chosen against one known seed collide there, and not under another seed", () => {
    const ids: Array<Uint8Array> = []
    const candidate = new DataView(new ArrayBuffer(4))
    for (let n = 0; ids.length < 1000; n++) {
      candidate.setUint32(0, n)
      if ((halfSipHash(1, 0, candidate, 0, 4) & 0x7ff) === 0) ids.push(new Uint8Array(candidate.buffer.slice(0)))
    }
    assert.isAbove(flood(makePackedGrouping({ peerCount: 1, maxGroups: 1000, seed: 1 }), ids), 100)
    assert.isBelow(flood(makePackedGrouping({ peerCount: 1, maxGroups: 1000, seed: 2 }), ids), 6)
    assert.isBelow(flood(makePackedGrouping({ peerCount: 1, maxGroups: 1000, seed: 2 ** 32 + 1 }), ids), 6)
  })

  it("one id at 50,000 starts costs a few probes each", () => {
    const grouping = makePackedGrouping({ peerCount: 2, maxGroups: 50_000 })
    const id = encoder.encode("one")
    for (let n = 0; n < 50_000; n++) report(grouping, 0, id, none, n << 12)
    assert.strictEqual(grouping.seriesCount, 1)
    // One probe per report is the series itself.
    assert.isBelow(grouping.probes / 50_000, 4)
  })

  it("ids of every length from 0 to 600 and of 64 KiB come back whole", () => {
    const lengths = [...Array.from({ length: 601 }, (_, n) => n), 65_535, 65_536, 262_144, 262_145, 3]
    const grouping = makePackedGrouping({ peerCount: 2, maxGroups: 1000, initialGroups: 1 })
    lengths.forEach((length, index) => {
      assert.strictEqual(report(grouping, 0, idOf(length, index), idOf(length, index + 1)), index)
    })
    lengths.forEach((length, index) => {
      assert.deepStrictEqual(grouping.id(index), idOf(length, index))
      assert.deepStrictEqual(grouping.tags(index), idOf(length, index + 1))
    })
    const backwards = lengths.map((length, index) => ({ length, index })).toReversed()
    for (const { index, length } of backwards) assert.strictEqual(report(grouping, 1, idOf(length, index)), index)
  })

  it("sizes beyond 30 bits, negative and not-a-number are kept within bounds", () => {
    const grouping = makePackedGrouping({ peerCount: 4, maxGroups: 1 })
    const sizes = [2 ** 53, -1, NaN, 2 ** 30 - 1]
    sizes.forEach((size, peer) => grouping.report(peer, none, 0, 0, 0, 0, 0, 0, size, 1))
    assert.deepStrictEqual(sizes.map((_, peer) => grouping.size(0, peer)), [2 ** 30 - 1, 0, 0, 2 ** 30 - 1])
  })
})

describe("wrong calls", () => {
  it("options out of range are refused by name", () => {
    refused({ peerCount: 0, maxGroups: 1 }, "peerCount")
    refused({ peerCount: 65, maxGroups: 1 }, "peerCount")
    refused({ peerCount: 1.5, maxGroups: 1 }, "peerCount")
    refused({ peerCount: 1, maxGroups: 0 }, "maxGroups")
    refused({ peerCount: 1, maxGroups: Limits.maxGroups + 1 }, "maxGroups")
    refused({ peerCount: 1, maxGroups: 5, initialGroups: 6 }, "initialGroups")
    refused({ peerCount: 1, maxGroups: 5, maxBytes: 0 }, "maxBytes")
    refused({ peerCount: 1, maxGroups: 5, seed: -1 }, "seed")
  })

  it("peers, groups and ranges that do not exist throw and change nothing", () => {
    const grouping = makePackedGrouping({ peerCount: 2, maxGroups: 5 })
    const bytes = encoder.encode("abc")
    assert.throws(() => grouping.report(2, bytes, 0, 3, 0, 0, 0, 0, 0, 0), RangeError, "peer 2")
    assert.throws(() => grouping.report(0.5, bytes, 0, 3, 0, 0, 0, 0, 0, 0), RangeError, "peer 0.5")
    assert.throws(() => grouping.report(0, bytes, 1, 3, 0, 0, 0, 0, 0, 0), RangeError, "id at 1")
    assert.throws(() => grouping.report(0, bytes, 0, 3, 2, 2, 0, 0, 0, 0), RangeError, "tags at 2")
    assert.throws(() => grouping.report(0, bytes, 0, -1, 0, 0, 0, 0, 0, 0), RangeError, "id at 0")
    assert.throws(() => grouping.finish(-1), RangeError, "peer -1")
    assert.throws(() => grouping.id(0), RangeError, "group 0")
    assert.throws(() => grouping.has(0, 0), RangeError, "group 0")
    assert.deepStrictEqual([grouping.groupCount, grouping.bytes], [0, 0])
  })

  it("a page whose row leaves the buffer throws there; the rows before it are taken, and nothing of it is remembered", () => {
    const grouping = makePackedGrouping({ peerCount: 2, maxGroups: 50 })
    const ids = Array.from({ length: 20 }, (_, n) => encoder.encode(`id-${String(n).padStart(2, "0")}`))
    for (const id of ids) report(grouping, 0, id)
    const page = {
      buffer: new Uint8Array(100),
      count: 20,
      idOffset: column((row) => 5 * row),
      idLength: column(() => 5),
      tagsOffset: column(() => 98),
      tagsLength: column((row) => row === 15 ? 3 : 0),
      startHi: column(() => 0),
      startLo: column(() => 0),
      size: new Float64Array(20),
      checksum: new Float64Array(20)
    }
    ids.toReversed().forEach((id, row) => page.buffer.set(id, 5 * row))
    assert.throws(() => grouping.reportPage(1, page), RangeError, "tags at 98")
    const shared = Array.from({ length: 20 }, (_, group) => grouping.has(group, 1))
    assert.deepStrictEqual(shared, ids.map((_, group) => group >= 5))
    page.buffer.set(ids[1]!, 80)
    assert.strictEqual(grouping.find(page.buffer, 80, 5, 0, 0), 1)
  })

  it("64 peers are served", () => {
    const grouping = makePackedGrouping({ peerCount: 64, maxGroups: 5 })
    for (let peer = 0; peer < 63; peer++) report(grouping, peer, encoder.encode("a"))
    const ready: Array<number> = []
    grouping.drainReady(ready)
    assert.deepStrictEqual(ready, [])
    report(grouping, 63, encoder.encode("a"))
    grouping.drainReady(ready)
    assert.deepStrictEqual([ready, grouping.reporters(0)], [[0], 64])
  })

  it("ids of any length are copied out, and nothing beside them", () => {
    const grouping = makePackedGrouping({ peerCount: 1, maxGroups: 1000 })
    const lengths = [...Array.from({ length: 40 }, (_, length) => length), 511, 512, 513, 5000]
    for (const [group, length] of lengths.entries()) {
      const id = idOf(length, group)
      report(grouping, 0, id)
      assert.strictEqual(grouping.idLength(group), length)
      const target = new Uint8Array(length + 2).fill(0xa5)
      grouping.copyId(group, new DataView(target.buffer), 1)
      assert.deepStrictEqual([...target], [0xa5, ...id, 0xa5])
    }
  })
})
