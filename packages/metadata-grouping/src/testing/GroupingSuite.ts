/**
 * The contract of `Grouping` as checks that know no test runner: each throws when an implementation breaks it.
 * Register them with `for (const check of groupingSuite) it(check.name, () => check.run(make))`.
 */
import assert from "node:assert/strict"
import { type Grouping, noChecksum, type ReportColumns } from "../contract/Grouping.ts"

export type MakeGrouping = (peerCount: number, maxGroups: number) => Grouping

export interface GroupingCheck {
  readonly name: string
  readonly run: (make: MakeGrouping) => void
}

const encoder = new TextEncoder()

interface Entry {
  readonly id: string
  readonly tags?: string
  readonly startHi?: number
  readonly startLo?: number
  readonly size?: number
  readonly checksum?: number
}

/** Reports through a fresh buffer with bytes before, between and after id and tags, overwritten afterwards. */
const report = (grouping: Grouping, peer: number, entry: Entry): number => {
  const id = encoder.encode(entry.id)
  const tags = encoder.encode(entry.tags ?? "")
  const buffer = new Uint8Array(id.length + tags.length + 7).fill(0xee)
  buffer.set(id, 3)
  buffer.set(tags, 5 + id.length)
  const { checksum = 7, size = 100, startHi = 1, startLo = 2 } = entry
  const group = grouping
    .report(peer, buffer, 3, id.length, 5 + id.length, tags.length, startHi, startLo, size, checksum)
  buffer.fill(0xdd)
  return group
}

/** The entries as one page, with bytes before, between and after; the caller may overwrite `buffer`. */
const pageOf = (entries: ReadonlyArray<Entry>): ReportColumns => {
  const parts = entries.map((entry) => ({ id: encoder.encode(entry.id), tags: encoder.encode(entry.tags ?? "") }))
  const page = {
    buffer: new Uint8Array(3 + parts.reduce((sum, { id, tags }) => sum + id.length + tags.length + 5, 0)).fill(0xee),
    count: entries.length,
    idOffset: new Int32Array(entries.length),
    idLength: Int32Array.from(parts, ({ id }) => id.length),
    tagsOffset: new Int32Array(entries.length),
    tagsLength: Int32Array.from(parts, ({ tags }) => tags.length),
    startHi: Int32Array.from(entries, ({ startHi = 1 }) => startHi),
    startLo: Int32Array.from(entries, ({ startLo = 2 }) => startLo),
    size: Float64Array.from(entries, ({ size = 100 }) => size),
    checksum: Float64Array.from(entries, ({ checksum = 7 }) => checksum)
  }
  let at = 3
  parts.forEach(({ id, tags }, row) => {
    page.buffer.set(id, page.idOffset[row] = at)
    page.buffer.set(tags, page.tagsOffset[row] = at + id.length + 2)
    at += id.length + tags.length + 5
  })
  return page
}

const pageOfIds = (ids: string): ReportColumns => pageOf(Array.from(ids, (id) => ({ id })))

const drained = (grouping: Grouping): Array<number> => {
  const out: Array<number> = []
  grouping.drainReady(out)
  return out
}

/** Forty bytes of which one differs. */
const idAt = (position: number): string => `${"o".repeat(position)}x${"o".repeat(39 - position)}`

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const readiness: ReadonlyArray<GroupingCheck> = [
  {
    name: "a group is ready when the last peer reports it, not before",
    run: (make) => {
      const grouping = make(3, 10)
      assert.equal(report(grouping, 0, { id: "a" }), 0)
      assert.equal(report(grouping, 2, { id: "a" }), 0)
      assert.deepEqual(drained(grouping), [])
      report(grouping, 1, { id: "a" })
      assert.deepEqual(drained(grouping), [0])
      assert.equal(grouping.reporters(0), 3)
    }
  },
  {
    name: "with one peer every report is ready at once",
    run: (make) => {
      const grouping = make(1, 10)
      report(grouping, 0, { id: "a" })
      report(grouping, 0, { id: "b" })
      assert.deepEqual(drained(grouping), [0, 1])
    }
  },
  {
    name: "finish makes ready what waited for that peer alone, in order of first appearance",
    run: (make) => {
      const grouping = make(3, 10)
      for (const id of ["a", "b", "c"]) report(grouping, 0, { id })
      for (const id of ["c", "a"]) report(grouping, 1, { id })
      grouping.finish(2)
      assert.deepEqual(drained(grouping), [0, 2])
      grouping.finish(1)
      assert.deepEqual(drained(grouping), [1])
      grouping.finish(0)
      assert.deepEqual(drained(grouping), [])
    }
  },
  {
    name: "finishing twice counts once",
    run: (make) => {
      const grouping = make(3, 10)
      report(grouping, 0, { id: "a" })
      grouping.finish(1)
      grouping.finish(1)
      assert.deepEqual(drained(grouping), [])
      grouping.finish(2)
      assert.deepEqual(drained(grouping), [0])
    }
  },
  {
    name: "a peer that reported and then finished counts once",
    run: (make) => {
      const grouping = make(3, 10)
      report(grouping, 0, { id: "a" })
      grouping.finish(0)
      report(grouping, 1, { id: "a" })
      assert.deepEqual(drained(grouping), [])
      report(grouping, 2, { id: "a" })
      assert.deepEqual(drained(grouping), [0])
    }
  },
  {
    name: "a group that appears after other peers finished waits for the rest only",
    run: (make) => {
      const grouping = make(3, 10)
      grouping.finish(0)
      grouping.finish(2)
      report(grouping, 1, { id: "a" })
      assert.deepEqual(drained(grouping), [0])
    }
  },
  {
    name: "a group is submitted once, in the order in which groups became ready",
    run: (make) => {
      const grouping = make(2, 10)
      for (const id of ["a", "b", "c"]) report(grouping, 0, { id })
      for (const id of ["c", "a"]) report(grouping, 1, { id })
      const out = [99]
      grouping.drainReady(out)
      assert.deepEqual(out, [99, 2, 0])
      report(grouping, 1, { id: "c" })
      grouping.finish(0)
      grouping.finish(1)
      assert.deepEqual(drained(grouping), [1])
      assert.deepEqual(drained(grouping), [])
    }
  }
]

const unwaiting: ReadonlyArray<GroupingCheck> = [
  {
    name: "unwait makes ready what waited for that peer alone, in order of first appearance",
    run: (make) => {
      const grouping = make(3, 10)
      for (const id of ["a", "b", "c"]) report(grouping, 0, { id })
      for (const id of ["c", "a"]) report(grouping, 1, { id })
      grouping.unwait(2)
      assert.deepEqual(drained(grouping), [0, 2])
      grouping.unwait(2)
      grouping.finish(2)
      assert.deepEqual(drained(grouping), [])
      grouping.unwait(1)
      assert.deepEqual(drained(grouping), [1])
    }
  },
  {
    name: "a report of an unwaited peer counts where the group still waits for others, and is not waited for twice",
    run: (make) => {
      const grouping = make(3, 10)
      report(grouping, 0, { id: "a" })
      grouping.unwait(1)
      assert.equal(report(grouping, 1, { id: "a", checksum: 5 }), 0)
      assert.deepEqual(drained(grouping), [])
      assert.deepEqual([grouping.checksum(0, 1), grouping.reporters(0), grouping.additions], [5, 2, 0])
      assert.equal(report(grouping, 1, { id: "a", checksum: 6 }), 0)
      assert.deepEqual([grouping.checksum(0, 1), grouping.duplicates, grouping.late], [6, 1, 0])
      report(grouping, 2, { id: "a" })
      assert.deepEqual(drained(grouping), [0])
    }
  },
  {
    name: "a new group of an unwaited peer waits for the others, for nobody when there is none",
    run: (make) => {
      const grouping = make(2, 10)
      grouping.unwait(1)
      assert.equal(report(grouping, 1, { id: "a" }), 0)
      assert.deepEqual(drained(grouping), [])
      report(grouping, 0, { id: "a" })
      assert.deepEqual(drained(grouping), [0])
      report(grouping, 1, { id: "b" })
      grouping.finish(0)
      assert.deepEqual(drained(grouping), [1])
      assert.equal(report(grouping, 1, { id: "c" }), 2)
      assert.deepEqual(drained(grouping), [2])
      assert.deepEqual([grouping.late, grouping.additions, grouping.reporters(2)], [0, 0, 1])
    }
  },
  {
    name: "a ready group takes the first report of an unwaited peer, ignores its second, and is not drained again",
    run: (make) => {
      const grouping = make(3, 10)
      report(grouping, 0, { id: "a", checksum: 1 })
      report(grouping, 1, { id: "a", checksum: 1 })
      grouping.unwait(2)
      grouping.unwait(0)
      assert.deepEqual(drained(grouping), [0])
      assert.equal(report(grouping, 2, { id: "a", checksum: 2, size: 22, tags: "t" }), 0)
      assert.equal(report(grouping, 2, { id: "a", checksum: 3, size: 33, tags: "u" }), 0)
      assert.equal(report(grouping, 0, { id: "a", checksum: 4 }), 0)
      assert.deepEqual([0, 1, 2].map((peer) => grouping.checksum(0, peer)), [1, 1, 2])
      assert.deepEqual([grouping.has(0, 2), grouping.size(0, 2), grouping.reporters(0)], [true, 22, 3])
      assert.deepEqual([grouping.additions, grouping.late, grouping.duplicates, grouping.tagConflicts], [1, 2, 0, 0])
      assert.equal(text(grouping.tags(0)), "t")
      assert.deepEqual(drained(grouping), [])
    }
  },
  {
    name: "a report of a peer that was unwaited and then finished is ignored; finished peers cannot be unwaited",
    run: (make) => {
      const grouping = make(3, 10)
      report(grouping, 0, { id: "a" })
      grouping.unwait(1)
      grouping.finish(1)
      grouping.finish(2)
      grouping.unwait(2)
      assert.deepEqual(drained(grouping), [0])
      for (const peer of [1, 2]) {
        assert.equal(report(grouping, peer, { id: "a" }), 0)
        assert.equal(report(grouping, peer, { id: "b" }), -1)
      }
      assert.deepEqual([grouping.late, grouping.additions, grouping.reporters(0)], [4, 0, 1])
    }
  }
]

const calls = (admits: (row: number) => boolean = () => true) => {
  const seen: Array<ReadonlyArray<unknown>> = []
  return {
    seen,
    watch: {
      admits: (row: number, seriesKnown: boolean) => {
        seen.push(["admits", row, seriesKnown])
        return admits(row)
      },
      made: (row: number, group: number) => seen.push(["made", row, group]),
      added: (row: number, group: number) => seen.push(["added", row, group])
    }
  }
}

const pages: ReadonlyArray<GroupingCheck> = [
  {
    name: "a page reports its rows in order and tells how many said something new",
    run: (make) => {
      const grouping = make(2, 4)
      const page = pageOf([
        { id: "a", tags: "first", checksum: 1, size: 11 },
        { id: "b", startHi: -1, startLo: -2, checksum: 0xffffffff },
        { id: "a", tags: "other", checksum: noChecksum, size: 12 },
        { id: "a", startLo: 3 },
        { id: "" },
        { id: "refused" }
      ])
      assert.equal(grouping.reportPage(0, page), 4)
      page.buffer.fill(0xdd)
      assert.deepEqual([grouping.groupCount, grouping.duplicates, grouping.tagConflicts, grouping.refused], [
        4,
        1,
        1,
        1
      ])
      assert.deepEqual(Array.from({ length: 4 }, (_, group) => text(grouping.id(group))), ["a", "b", "a", ""])
      assert.deepEqual([grouping.startHi(1), grouping.startLo(1), grouping.startLo(2)], [-1, -2, 3])
      assert.deepEqual([grouping.checksum(0, 0), grouping.checksum(1, 0)], [noChecksum, 0xffffffff])
      assert.deepEqual([grouping.size(0, 0), text(grouping.tags(2))], [12, "first"])
      assert.equal(grouping.reportPage(1, pageOfIds("")), 0)
      assert.deepEqual(drained(grouping), [])
    }
  },
  {
    name: "pages in the same, the reverse and a broken order meet in the same groups",
    run: (make) => {
      const grouping = make(4, 20)
      assert.equal(grouping.reportPage(0, pageOfIds("abcdefgh")), 8)
      assert.equal(grouping.reportPage(1, pageOfIds("abcdefgh")), 8)
      assert.equal(grouping.reportPage(2, pageOfIds("hgfedcba")), 8)
      assert.deepEqual(drained(grouping), [])
      assert.equal(grouping.reportPage(3, pageOfIds("abzdcca")), 5)
      assert.deepEqual([grouping.groupCount, grouping.late, grouping.duplicates], [9, 2, 0])
      assert.deepEqual(drained(grouping), [0, 1, 3, 2])
      assert.deepEqual(Array.from({ length: 9 }, (_, group) => grouping.reporters(group)), [4, 4, 4, 4, 3, 3, 3, 3, 1])
    }
  },
  {
    name: "a row that may not make a group is left out without a count; known groups are not asked about",
    run: (make) => {
      const grouping = make(2, 2)
      const page = pageOf([{ id: "a" }, { id: "foreign" }, { id: "a", startLo: 9 }, { id: "a" }, { id: "foreign" }])
      const { seen, watch } = calls((row) => row !== 1 && row !== 4)
      assert.equal(grouping.reportPage(0, page, watch), 2)
      const asked = [["admits", 0, false], ["made", 0, 0], ["admits", 1, false], ["admits", 2, true], ["made", 2, 1]]
      assert.deepEqual(seen, [...asked, ["admits", 4, false]])
      assert.deepEqual([grouping.groupCount, grouping.refused, grouping.late, grouping.duplicates], [2, 0, 0, 1])
      seen.length = 0
      assert.equal(grouping.reportPage(1, pageOf([{ id: "a" }, { id: "a", startLo: 9 }]), watch), 2)
      assert.deepEqual(seen, [])
    }
  },
  {
    name: "rows that find no room or come from a finished peer make nothing and are not told of",
    run: (make) => {
      const grouping = make(2, 1)
      const { seen, watch } = calls()
      assert.equal(grouping.reportPage(0, pageOfIds("ab"), watch), 1)
      assert.deepEqual(seen, [["admits", 0, false], ["made", 0, 0], ["admits", 1, false]])
      seen.length = 0
      grouping.finish(1)
      assert.equal(grouping.reportPage(1, pageOfIds("ab"), watch), 0)
      assert.deepEqual(seen, [])
      assert.deepEqual([grouping.refused, grouping.late], [1, 2])
    }
  },
  {
    name: "a row for a ready group tells of its addition, once a peer",
    run: (make) => {
      const grouping = make(2, 10)
      const { seen, watch } = calls()
      grouping.reportPage(0, pageOfIds("ab"), watch)
      grouping.unwait(1)
      seen.length = 0
      assert.equal(grouping.reportPage(1, pageOfIds("bcbc"), watch), 2)
      assert.deepEqual(seen, [["added", 0, 1], ["admits", 1, false], ["made", 1, 2]])
      assert.deepEqual([grouping.additions, grouping.late, grouping.duplicates], [1, 1, 1])
      assert.deepEqual(drained(grouping), [0, 1])
    }
  }
]

const repetition: ReadonlyArray<GroupingCheck> = [
  {
    name: "the newer report of a peer replaces the older while the group waits",
    run: (make) => {
      const grouping = make(2, 10)
      report(grouping, 0, { id: "a", size: 1, checksum: 11 })
      report(grouping, 0, { id: "a", size: 2, checksum: noChecksum })
      assert.equal(grouping.checksum(0, 0), noChecksum)
      assert.equal(grouping.size(0, 0), 2)
      report(grouping, 0, { id: "a", size: 3, checksum: 33 })
      assert.deepEqual([grouping.checksum(0, 0), grouping.size(0, 0), grouping.reporters(0)], [33, 3, 1])
      assert.deepEqual([grouping.duplicates, grouping.late], [2, 0])
      assert.deepEqual(drained(grouping), [])
    }
  },
  {
    name: "a report for a ready group is ignored and counted as late",
    run: (make) => {
      const grouping = make(1, 10)
      report(grouping, 0, { id: "a", checksum: 1, tags: "t" })
      assert.equal(report(grouping, 0, { id: "a", checksum: 2, tags: "u" }), 0)
      assert.equal(grouping.checksum(0, 0), 1)
      assert.deepEqual([grouping.duplicates, grouping.late, grouping.tagConflicts], [0, 1, 0])
      assert.deepEqual(drained(grouping), [0])
    }
  },
  {
    name: "a report of a finished peer is ignored and counted as late",
    run: (make) => {
      const grouping = make(3, 10)
      report(grouping, 0, { id: "a" })
      grouping.finish(1)
      assert.equal(report(grouping, 1, { id: "a" }), 0)
      assert.equal(report(grouping, 1, { id: "b" }), -1)
      assert.equal(grouping.has(0, 1), false)
      assert.deepEqual([grouping.late, grouping.refused, grouping.groupCount], [2, 0, 1])
    }
  },
  {
    name: "the first tags that are not empty win for the series, others are counted",
    run: (make) => {
      const grouping = make(3, 10)
      report(grouping, 0, { id: "a" })
      assert.equal(grouping.tags(0).length, 0)
      report(grouping, 1, { id: "a", tags: "first", startLo: 3 })
      report(grouping, 1, { id: "a", tags: "other" })
      report(grouping, 2, { id: "a", tags: "first" })
      report(grouping, 2, { id: "a", startLo: 3 })
      assert.equal(text(grouping.tags(0)), "first")
      assert.equal(text(grouping.tags(1)), "first")
      assert.equal(grouping.tagConflicts, 1)
    }
  }
]

const identity: ReadonlyArray<GroupingCheck> = [
  {
    name: "ids are compared whole: prefixes, first, middle and last bytes, the empty id",
    run: (make) => {
      const grouping = make(2, 100)
      const ids = ["", "a", "b", "abcdefgh", "abcdefghi", "abcdefghj", "xbcdefghi", "abcdxfghi", "abc", "abcd", "abce"]
      ids.forEach((id, index) => assert.equal(report(grouping, 0, { id }), index))
      ids.forEach((id, index) => assert.equal(report(grouping, 1, { id }), index))
      ids.forEach((id, index) => assert.equal(text(grouping.id(index)), id))
      assert.equal(grouping.groupCount, ids.length)
    }
  },
  {
    name: "ids of 40 bytes that differ in one byte, wherever it is, are different",
    run: (make) => {
      const grouping = make(2, 100)
      for (let position = 0; position < 40; position++) {
        assert.equal(report(grouping, 0, { id: idAt(position), tags: idAt(position) }), position)
      }
      for (let position = 39; position >= 0; position--) {
        const tags = idAt((position + 1) % 40)
        assert.equal(report(grouping, 1, { id: idAt(position), tags }), position)
        assert.equal(text(grouping.id(position)), idAt(position))
      }
      assert.equal(grouping.tagConflicts, 40)
    }
  },
  {
    name: "both halves of the start tell groups apart, negative ones too",
    run: (make) => {
      const grouping = make(1, 100)
      const starts: ReadonlyArray<readonly [number, number]> = [[0, 0], [0, 1], [1, 0], [-1, 0], [0, -1], [-1, -1]]
      starts.forEach(([startHi, startLo], index) => {
        assert.equal(report(grouping, 0, { id: "a", startHi, startLo }), index)
        assert.deepEqual([grouping.startHi(index), grouping.startLo(index)], [startHi, startLo])
      })
      const buffer = encoder.encode("xa")
      assert.equal(grouping.find(buffer, 1, 1, -1, 0), 3)
      assert.equal(grouping.find(buffer, 0, 1, -1, 0), -1)
      assert.equal(grouping.find(buffer, 1, 1, -1, 7), -1)
    }
  },
  {
    name: "cells are per peer, checksums unsigned, absent peers have none",
    run: (make) => {
      const grouping = make(3, 10)
      report(grouping, 0, { id: "a", checksum: 0xffffffff, size: 5 })
      report(grouping, 2, { id: "a", checksum: 0, size: 0 })
      assert.deepEqual([0, 1, 2].map((peer) => grouping.checksum(0, peer)), [0xffffffff, noChecksum, 0])
      assert.deepEqual([0, 1, 2].map((peer) => grouping.size(0, peer)), [5, 0, 0])
      assert.deepEqual([0, 1, 2].map((peer) => grouping.has(0, peer)), [true, false, true])
    }
  }
]

const bounds: ReadonlyArray<GroupingCheck> = [
  {
    name: "beyond the maximum of groups new ones are refused and known ones still taken",
    run: (make) => {
      const grouping = make(2, 2)
      report(grouping, 0, { id: "a" })
      report(grouping, 0, { id: "b" })
      assert.equal(report(grouping, 0, { id: "c" }), -1)
      assert.equal(report(grouping, 1, { id: "b" }), 1)
      assert.deepEqual([grouping.groupCount, grouping.refused], [2, 1])
      assert.deepEqual(drained(grouping), [1])
    }
  },
  {
    name: "clear forgets everything and gives the memory back",
    run: (make) => {
      const grouping = make(2, 10)
      const emptyBytes = grouping.bytes
      for (const id of ["a", "b"]) report(grouping, 0, { id, tags: id })
      report(grouping, 0, { id: "a", tags: "b" })
      assert.ok(grouping.bytes > emptyBytes)
      grouping.finish(1)
      report(grouping, 1, { id: "a" })
      grouping.unwait(0)
      assert.equal(report(grouping, 0, { id: "a" }), 0)
      grouping.clear()
      assert.equal(grouping.bytes, emptyBytes)
      const { additions, duplicates, groupCount, late, refused, tagConflicts } = grouping
      assert.deepEqual([groupCount, duplicates, late, additions, tagConflicts, refused], [0, 0, 0, 0, 0, 0])
      assert.deepEqual(drained(grouping), [])
      assert.equal(grouping.find(encoder.encode("a"), 0, 1, 1, 2), -1)
      report(grouping, 1, { id: "b" })
      assert.deepEqual(drained(grouping), [])
      assert.equal(grouping.tags(0).length, 0)
      report(grouping, 0, { id: "b" })
      assert.deepEqual(drained(grouping), [0])
    }
  }
]

export const groupingSuite: ReadonlyArray<GroupingCheck> = [
  ...readiness,
  ...unwaiting,
  ...pages,
  ...repetition,
  ...identity,
  ...bounds
]
