/** Random histories of up to seven peers: the packed columns against the naive maps, in every query and in the ready order. */
import { assert, describe, it } from "@effect/vitest"
import { type Grouping, makePackedGrouping } from "@peerstrap/metadata-grouping"
import { makeNaiveGrouping } from "@peerstrap/metadata-grouping/testing"
import * as fc from "fast-check"

type Event =
  | {
    readonly kind: "report"
    readonly peer: number
    readonly id: Uint8Array
    readonly tags: Uint8Array
    readonly startHi: number
    readonly startLo: number
    readonly size: number
    readonly checksum: number
  }
  | { readonly kind: "finish"; readonly peer: number }
  | { readonly kind: "drain" }
  | { readonly kind: "clear" }

const idOf = fc.oneof(
  fc.uint8Array({ maxLength: 3, max: 2 }),
  fc.nat({ max: 15 }).map((n) => new TextEncoder().encode(`series-with-a-long-common-beginning-${n}`))
)

const reportOf = fc.record({
  kind: fc.constant("report" as const),
  peer: fc.nat({ max: 6 }),
  id: idOf,
  tags: fc.uint8Array({ maxLength: 2, max: 1 }),
  startHi: fc.integer({ min: -1, max: 1 }),
  startLo: fc.constantFrom(0, -5, 2 ** 31 - 1),
  size: fc.constantFrom(0, 1, 4096, 2 ** 32 - 1),
  checksum: fc.constantFrom(-1, 0, 1, 0x80000000, 0xffffffff)
})

const eventOf: fc.Arbitrary<Event> = fc.oneof(
  { arbitrary: reportOf, weight: 300 },
  { arbitrary: fc.record({ kind: fc.constant("finish" as const), peer: fc.nat({ max: 6 }) }), weight: 5 },
  { arbitrary: fc.constant({ kind: "drain" as const }), weight: 20 },
  { arbitrary: fc.constant({ kind: "clear" as const }), weight: 1 }
)

const apply = (grouping: Grouping, event: Event): ReadonlyArray<number> => {
  if (event.kind === "finish") grouping.finish(event.peer % grouping.peerCount)
  else if (event.kind === "clear") grouping.clear()
  else if (event.kind === "drain") {
    const out: Array<number> = []
    grouping.drainReady(out)
    return out
  } else {
    const buffer = new Uint8Array(2 + event.id.length + event.tags.length)
    buffer.set(event.id, 1)
    buffer.set(event.tags, 1 + event.id.length)
    const { checksum, id, peer, size, startHi, startLo, tags } = event
    const reporter = peer % grouping.peerCount
    const tagsOffset = 1 + id.length
    return [
      grouping.report(reporter, buffer, 1, id.length, tagsOffset, tags.length, startHi, startLo, size, checksum)
    ]
  }
  return []
}

const everything = (grouping: Grouping): unknown => ({
  counts: [grouping.groupCount, grouping.duplicates, grouping.late, grouping.tagConflicts, grouping.refused],
  groups: Array.from({ length: grouping.groupCount }, (_, group) => ({
    id: grouping.id(group).join(),
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
          for (const event of events) assert.deepStrictEqual(apply(packed, event), apply(naive, event))
          assert.deepStrictEqual(everything(packed), everything(naive))
          for (let peer = 0; peer < peerCount; peer++) for (const g of [packed, naive]) g.finish(peer)
          const last = [apply(packed, { kind: "drain" }), apply(naive, { kind: "drain" })]
          assert.deepStrictEqual(last[0], last[1])
          assert.deepStrictEqual(everything(packed), everything(naive))
        }
      ),
      { seed: 20240607, numRuns: 300 }
    )
  })
})
