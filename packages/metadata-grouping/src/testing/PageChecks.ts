/** Checks of whole pages: the same as their rows one by one, and what the watcher of a page hears. */
import assert from "node:assert/strict"
import { noChecksum } from "../contract/Grouping.ts"
import type { GroupingCheck } from "./GroupingCheck.ts"
import { drained, pageOf, pageOfIds, text } from "./GroupingReports.ts"

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

export const pageChecks: ReadonlyArray<GroupingCheck> = [
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
