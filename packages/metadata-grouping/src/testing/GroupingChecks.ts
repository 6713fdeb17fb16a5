/** The contract of `Grouping` as plain checks: each throws when an implementation breaks it. */
import assert from "node:assert/strict"
import { noChecksum } from "../contract/Grouping.ts"
import type { GroupingCheck } from "./GroupingCheck.ts"
import { drained, encoder, idAt, report, text } from "./GroupingReports.ts"
import { pageChecks } from "./PageChecks.ts"

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
      assert.equal(report(grouping, 1, { id: "b" }), 0)
      assert.deepEqual(drained(grouping), [])
      assert.equal(grouping.tags(0).length, 0)
      report(grouping, 0, { id: "b" })
      assert.deepEqual(drained(grouping), [0])
    }
  }
]

/** All checks of the contract. */
export const groupingChecks: ReadonlyArray<GroupingCheck> = [
  ...readiness,
  ...unwaiting,
  ...pageChecks,
  ...repetition,
  ...identity,
  ...bounds
]
