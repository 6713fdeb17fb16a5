/** `docs/limits.md` names every limit that a package exports, with the value that it has. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { root } from "./tidy/Repository.ts"

interface Row {
  readonly name: string
  readonly value: string
  readonly cells: number
}

const page = readFileSync(join(root, "docs", "limits.md"), "utf8")

/** Rows by `package: constant`, the heading of their table. */
const tablesOf = (markdown: string): ReadonlyMap<string, ReadonlyArray<Row>> => {
  const tables = new Map<string, Array<Row>>()
  for (const section of markdown.split(/^## /m).slice(1)) {
    const rows = [...section.matchAll(/^\| `(\w+)` \| ([^|]+) \|(.*)\|$/gm)].map((found) => ({
      name: found[1]!,
      value: found[2]!.trim(),
      cells: 2 + found[3]!.split("|").filter((cell) => cell.trim() !== "").length
    }))
    tables.set(section.slice(0, section.indexOf("\n")).replaceAll("`", ""), rows)
  }
  return tables
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  ms: 1,
  s: 1000
}

/** All numbers of a cell: `64 MiB` is [67108864]. */
const numbersIn = (cell: string): ReadonlyArray<number> =>
  [...cell.matchAll(/(\d[\d,.]*)(?: ([A-Za-z]+))?/g)].map((found) =>
    Number(found[1]!.replaceAll(",", "")) * (units[found[2] ?? ""] ?? Number.NaN)
  )

const unitOf = (name: string): RegExp => name.endsWith("Bytes") ? /B\b/ : name.endsWith("Millis") ? /s\b/ : /\d$/

const numbersOf = (limit: unknown): ReadonlyArray<unknown> =>
  typeof limit === "object" && limit !== null ? Object.values(limit) : [limit]

const sources = readdirSync(join(root, "packages")).flatMap((name) =>
  readdirSync(join(root, "packages", name, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.startsWith("testing"))
    .map((path) => ({ name, path: join(root, "packages", name, "src", path) }))
)

/** `package: constant` and the constant itself, for all that are called limits. */
const exportedLimits = async (): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> => {
  const found = new Map<string, Readonly<Record<string, unknown>>>()
  for (const { name, path } of sources.filter(({ path }) => path.endsWith("Limits.ts"))) {
    const module = await import(pathToFileURL(path).href) as Readonly<Record<string, unknown>>
    for (const [constant, value] of Object.entries(module)) {
      if (typeof value === "object" && value !== null) {
        found.set(`${name}: ${constant}`, value as Readonly<Record<string, unknown>>)
      }
    }
  }
  return found
}

describe("docs/limits.md", () => {
  it("reads tables and values", () => {
    const tables = tablesOf("## a: `Limits`\n\n| limit | x |\n|---|---|\n| `one` | 4 MiB | why | – |\n## b\n")
    assert.deepStrictEqual([...tables], [["a: Limits", [{ name: "one", value: "4 MiB", cells: 4 }]], ["b", []]])
    assert.deepStrictEqual(numbersIn("1,024"), [1024])
    assert.deepStrictEqual(numbersIn("107 B (Linux), 1.5 s"), [107, 1500])
    assert.deepStrictEqual(numbersIn("2 furlongs"), [Number.NaN])
  })

  it("limits are exported from files called Limits", () => {
    const elsewhere = sources.filter(({ path }) =>
      !path.endsWith("Limits.ts") && /^export const \w*[lL]imits\b[^(=]*= \{/m.test(readFileSync(path, "utf8"))
    )
    assert.deepStrictEqual(elsewhere.map(({ path }) => path), [])
  })

  it("has exactly the limits that there are, with their values, a reason and what changes them", async () => {
    const tables = tablesOf(page)
    const limits = await exportedLimits()
    assert.isAtLeast(limits.size, 12)
    for (const [where, values] of limits) {
      const rows = tables.get(where) ?? []
      assert.deepStrictEqual(rows.map(({ name }) => name), Object.keys(values), `rows of "${where}"`)
      for (const { cells, name, value } of rows) {
        assert.deepStrictEqual(numbersIn(value), numbersOf(values[name]), `${where}.${name}: the page says ${value}`)
        assert.match(value, unitOf(name), `${where}.${name}: its unit`)
        assert.strictEqual(cells, 4, `${where}.${name}: default, reason, changed by`)
      }
    }
    const unknown = [...tables].filter(([where, rows]) => rows.length > 0 && !limits.has(where))
    assert.deepStrictEqual(unknown.map(([where]) => where), [])
  })
})
