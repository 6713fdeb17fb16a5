/** `docs/faults.md` shows the matrix as it is, and cites rows and tests that exist. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { faultPairs, faultRows } from "./Behaviours.ts"
import { formatFaultTable } from "./FaultTable.ts"

const root = new URL("../../../../", import.meta.url)
const text = readFileSync(new URL("docs/faults.md", root), "utf8")

/** Lines of the table that begins with this head. */
const tableAfter = (head: string): ReadonlyArray<string> => {
  const lines = text.split("\n")
  const from = lines.indexOf(head)
  const length = lines.slice(from).findIndex((line) => !line.startsWith("|"))
  return from < 0 ? [] : lines.slice(from, from + length)
}

describe("docs/faults.md", () => {
  it("shows every row of the matrix as it is tested", () => {
    const wanted = formatFaultTable(faultRows)
    assert.deepStrictEqual(tableAfter(wanted[0]!), wanted)
  })

  it("says how many rows and pairs there are", () => {
    assert.include(text, `${faultRows.length} behaviours`)
    assert.include(text, `${faultPairs().length} pairs`)
  })

  it("cites rows and tests that exist", () => {
    const files = new Map([...text.matchAll(/^\| ([A-Z]+) \| (\S+\.ts) \|$/gm)].map((found) => [found[1]!, found[2]!]))
    assert.isAbove(files.size, 3)
    const cited = [...text.matchAll(/\b([A-Z]{2,4}) (?:"([^"]+)"|`([^`]+)`)/g)]
    assert.isAbove(cited.length, 15)
    const wrong = cited.filter(([, short, test, row]) => {
      const file = files.get(short!)
      if (file === undefined) return true
      if (row !== undefined) return !faultRows.some(({ name }) => name === row)
      return !readFileSync(new URL(file, root), "utf8").includes(test!)
    })
    assert.deepStrictEqual(wrong.map(([all]) => all), [])
  })
})
