/** The stepwise sort of ids against the library's sort of their bytes. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { EntryColumns } from "../src/engine/EntryColumns.ts"
import { findDuplicate, IdSort } from "../src/engine/IdSort.ts"

const none = new Uint8Array(0)

const columnsOf = (ids: ReadonlyArray<Uint8Array>): EntryColumns => {
  const columns = new EntryColumns()
  for (const [i, id] of ids.entries()) columns.push(id, 0, id.length, none, 0, 0, i, 1, 0, 0)
  return columns
}

const sorted = (ids: ReadonlyArray<Uint8Array>, comparisons: number): ReadonlyArray<Uint8Array> => {
  const columns = columnsOf(ids)
  const sort = new IdSort(columns)
  let steps = 0
  while (!sort.step(comparisons)) assert.isBelow(++steps, 1_000_000)
  return Array.from(sort.order, (row) => columns.id(row))
}

const check = (ids: ReadonlyArray<Uint8Array>, comparisons: number): void =>
  assert.deepStrictEqual(sorted(ids, comparisons), ids.toSorted((a, b) => Buffer.compare(a, b)))

/** Ids that begin alike, are beginnings of each other, and have zeros where a shorter one has ended. */
const alike = fc.tuple(fc.uint8Array({ maxLength: 12 }), fc.array(fc.uint8Array({ max: 2, maxLength: 10 }))).map(
  ([prefix, ends]) => ends.map((end) => Uint8Array.from([...prefix, ...end]))
)

describe("id sort", () => {
  it("orders as the bytes do, whatever the steps", () => {
    fc.assert(fc.property(alike, fc.integer({ min: 1, max: 50 }), (ids, comparisons) => check(ids, comparisons)))
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 20 })),
        fc.integer({ min: 1, max: 50 }),
        (ids, comparisons) => check(ids, comparisons)
      )
    )
  })

  it("orders more rows than one run has", () => {
    const ids = Array.from(
      { length: 5_000 },
      (_, i) => new TextEncoder().encode(`metric_${i % 7}{series=${Math.imul(i, 0x9e3779b1) >>> 0}}`)
    )
    check(ids, 3_000)
  })

  it("puts equal ids side by side, where they are found", () => {
    const ids = ["b", "a", "c", "a"].map((text) => new TextEncoder().encode(text))
    const columns = columnsOf(ids)
    const sort = new IdSort(columns)
    while (!sort.step(10));
    assert.notStrictEqual(findDuplicate(columns, sort.order, 0, 4), -1)
    assert.strictEqual(findDuplicate(columns, Uint32Array.of(0, 1, 2), 0, 3), -1)
  })
})
