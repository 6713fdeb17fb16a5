/** Random histories of up to seven peers: the packed columns against the naive maps, in every query and in the ready order. */
import { assert, describe, it } from "@effect/vitest"
import { type Grouping, makePackedGrouping } from "@peerstrap/metadata-grouping"
import { makeNaiveGrouping } from "@peerstrap/metadata-grouping/testing"
import * as fc from "fast-check"

interface Row {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly startHi: number
  readonly startLo: number
  readonly size: number
  readonly checksum: number
}

type Event =
  | { readonly kind: "report"; readonly peer: number; readonly row: Row }
  | { readonly kind: "page"; readonly peer: number; readonly rows: ReadonlyArray<Row>; readonly declines: number }
  | { readonly kind: "finish"; readonly peer: number }
  | { readonly kind: "unwait"; readonly peer: number }
  | { readonly kind: "drain" }
  | { readonly kind: "clear" }

const idOf = fc.oneof(
  fc.uint8Array({ maxLength: 3, max: 2 }),
  fc.nat({ max: 15 }).map((n) => new TextEncoder().encode(`series-with-a-long-common-beginning-${n}`))
)

const rowOf: fc.Arbitrary<Row> = fc.record({
  id: idOf,
  tags: fc.uint8Array({ maxLength: 2, max: 1 }),
  startHi: fc.integer({ min: -1, max: 1 }),
  startLo: fc.constantFrom(0, -5, 2 ** 31 - 1),
  size: fc.constantFrom(0, 1, 4096, 2 ** 30 - 1),
  checksum: fc.constantFrom(-1, 0, 1, 0x80000000, 0xffffffff)
})

const peerOf = fc.nat({ max: 6 })
const reportOf = fc.record({ kind: fc.constant("report" as const), peer: peerOf, row: rowOf })

/** Row numbers of a listing that all peers share, in the orders that cursors like and those that they do not. */
const orderOf = fc.oneof(
  fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 30 })).map(([from, count]) =>
    Array.from({ length: count }, (_, n) => from + n)
  ),
  fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 30 })).map(([from, count]) =>
    Array.from({ length: count }, (_, n) => from + count - n)
  ),
  fc.tuple(fc.nat({ max: 40 }), fc.integer({ min: 2, max: 7 })).map(([from, step]) =>
    Array.from({ length: 20 }, (_, n) => from + step * n)
  ),
  fc.array(fc.nat({ max: 60 }), { maxLength: 30 })
)

/** Series of growing length, so that each id is the beginning of later ones; two starts of a series stand side by side. */
const listedRow = (n: number, checksum: number): Row => ({
  id: new TextEncoder().encode(`a-series-of-one-listing-${"x".repeat((n >> 1) % 23)}${n >> 1}`.slice(0, 20 + (n >> 1))),
  tags: new TextEncoder().encode(n % 5 === 0 ? "" : `tags-${n >> 1}`),
  startHi: 1,
  startLo: n & 1,
  size: n,
  checksum
})

const pageOf = fc.record({
  kind: fc.constant("page" as const),
  peer: peerOf,
  rows: fc.oneof(
    fc.tuple(orderOf, fc.nat({ max: 1 })).map(([order, checksum]) => order.map((n) => listedRow(n, checksum))),
    fc.array(rowOf, { maxLength: 20 })
  ),
  declines: fc.oneof(fc.constant(0), fc.nat())
})

const eventOf: fc.Arbitrary<Event> = fc.oneof(
  { arbitrary: reportOf, weight: 200 },
  { arbitrary: pageOf, weight: 60 },
  { arbitrary: fc.record({ kind: fc.constant("finish" as const), peer: peerOf }), weight: 4 },
  { arbitrary: fc.record({ kind: fc.constant("unwait" as const), peer: peerOf }), weight: 4 },
  { arbitrary: fc.constant({ kind: "drain" as const }), weight: 20 },
  { arbitrary: fc.constant({ kind: "clear" as const }), weight: 1 }
)

/** The rows as one page; whether a new group is admitted is a bit of `declines` that its row chooses. */
const reportPage = (grouping: Grouping, peer: number, rows: ReadonlyArray<Row>, declines: number): Array<unknown> => {
  const column = (of: (row: Row) => number): Int32Array => Int32Array.from(rows, of)
  const page = {
    buffer: new Uint8Array(rows.reduce((sum, { id, tags }) => sum + id.length + tags.length, 1)),
    count: rows.length,
    idOffset: new Int32Array(rows.length),
    idLength: column(({ id }) => id.length),
    tagsOffset: new Int32Array(rows.length),
    tagsLength: column(({ tags }) => tags.length),
    startHi: column(({ startHi }) => startHi),
    startLo: column(({ startLo }) => startLo),
    size: Float64Array.from(rows, ({ size }) => size),
    checksum: Float64Array.from(rows, ({ checksum }) => checksum)
  }
  let at = 1
  rows.forEach(({ id, tags }, row) => {
    page.buffer.set(id, page.idOffset[row] = at)
    page.buffer.set(tags, page.tagsOffset[row] = at + id.length)
    at += id.length + tags.length
  })
  const seen: Array<unknown> = []
  const watch = {
    admits: (row: number, seriesKnown: boolean) => {
      seen.push(row, seriesKnown)
      return ((declines >> (row % 24)) & 1) === 0
    },
    made: (row: number, group: number) => seen.push("made", row, group),
    added: (row: number, group: number) => seen.push("added", row, group)
  }
  seen.push(grouping.reportPage(peer, page, declines === 0 ? undefined : watch))
  page.buffer.fill(0xdd)
  return seen
}

const apply = (grouping: Grouping, event: Event): ReadonlyArray<unknown> => {
  if (event.kind === "finish") grouping.finish(event.peer % grouping.peerCount)
  else if (event.kind === "unwait") grouping.unwait(event.peer % grouping.peerCount)
  else if (event.kind === "clear") grouping.clear()
  else if (event.kind === "page") {
    return reportPage(grouping, event.peer % grouping.peerCount, event.rows, event.declines)
  } else if (event.kind === "drain") {
    const out: Array<number> = []
    grouping.drainReady(out)
    return out
  } else {
    const { checksum, id, size, startHi, startLo, tags } = event.row
    const buffer = new Uint8Array(2 + id.length + tags.length)
    buffer.set(id, 1)
    buffer.set(tags, 1 + id.length)
    const reporter = event.peer % grouping.peerCount
    const tagsOffset = 1 + id.length
    return [
      grouping.report(reporter, buffer, 1, id.length, tagsOffset, tags.length, startHi, startLo, size, checksum)
    ]
  }
  return []
}

/** The id as `copyId` gives it, between two bytes that it must leave alone. */
const copiedId = (grouping: Grouping, group: number): string => {
  const target = new Uint8Array(grouping.idLength(group) + 2).fill(0xa5)
  grouping.copyId(group, new DataView(target.buffer), 1)
  return target.join()
}

const everything = (grouping: Grouping): unknown => ({
  counts: [
    grouping.groupCount,
    grouping.duplicates,
    grouping.late,
    grouping.additions,
    grouping.tagConflicts,
    grouping.refused
  ],
  groups: Array.from({ length: grouping.groupCount }, (_, group) => ({
    id: grouping.id(group).join(),
    copiedId: copiedId(grouping, group),
    tags: grouping.tags(group).join(),
    start: [grouping.startHi(group), grouping.startLo(group)],
    reporters: grouping.reporters(group),
    found: grouping.find(
      grouping.id(group),
      0,
      grouping.id(group).length,
      grouping.startHi(group),
      grouping.startLo(group)
    ),
    cells: Array.from({ length: grouping.peerCount }, (_, peer) => [
      grouping.has(group, peer),
      grouping.checksum(group, peer),
      grouping.size(group, peer)
    ])
  }))
})

/** Compared as text first, which is much faster where they agree. */
const assertEqual = (a: unknown, b: unknown, message?: string): void => {
  if (JSON.stringify(a) !== JSON.stringify(b)) assert.deepStrictEqual(a, b, message)
}

const assertAgree = (one: Grouping, other: Grouping, event: Event, message?: string): void =>
  assertEqual(apply(one, event), apply(other, event), message)

const assertSame = (one: Grouping, other: Grouping, message?: string): void =>
  assertEqual(everything(one), everything(other), message)

describe("packed columns against naive maps", () => {
  it("agree in every query and in the order of ready groups", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 120 }),
        fc.nat(),
        fc.array(eventOf, { maxLength: 400, size: "max" }),
        (peerCount, maxGroups, seed, events) => {
          const packed = makePackedGrouping({ peerCount, maxGroups, initialGroups: 1, seed })
          const naive = makeNaiveGrouping(peerCount, maxGroups)
          for (const event of events) assertAgree(packed, naive, event)
          assertSame(packed, naive)
          for (let peer = 0; peer < peerCount; peer++) for (const g of [packed, naive]) g.finish(peer)
          assertAgree(packed, naive, { kind: "drain" })
          assertSame(packed, naive)
        }
      ),
      { seed: 20240607, numRuns: 120 }
    )
  }, 20_000)

  it("agree on long listings in adversarial orders: reverse, shuffled, starts apart or side by side, repeated", () => {
    const count = 2600
    const page = 650
    const inOrder = Array.from({ length: count }, (_, n) => n)
    const shuffled = inOrder.toSorted((a, b) => (Math.imul(a, 0x9e37_79b1) >>> 0) - (Math.imul(b, 0x9e37_79b1) >>> 0))
    const startsApart = [...inOrder.filter((n) => n % 2 === 0), ...inOrder.filter((n) => n % 2 === 1)]
    const repeated = inOrder.flatMap((n) => [n, n - (n % 3), n])
    const orders = { inOrder, reverse: inOrder.toReversed(), shuffled, startsApart, repeated }
    for (const [name, first] of Object.entries(orders)) {
      const packed = makePackedGrouping({ peerCount: 5, maxGroups: count })
      const naive = makeNaiveGrouping(5, count)
      ;[first, ...Object.values(orders).filter((order) => order !== first)].forEach((order, peer) => {
        for (let from = 0; from < order.length; from += page) {
          const rows = order.slice(from, from + page).map((n) => listedRow(n, n % (7 + peer)))
          const event: Event = { kind: "page", peer, rows, declines: 0 }
          assertAgree(packed, naive, event, name)
        }
        if (peer === 2) { for (const grouping of [packed, naive]) grouping.unwait(4) }
        assertAgree(packed, naive, { kind: "drain" }, name)
      })
      assertSame(packed, naive, name)
    }
  }, 20_000)
})
