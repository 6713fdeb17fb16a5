// Rows of the recorded vectors by category; none, said aloud, where the recorded data is missing.
import { hex } from "@scure/base"
import { existsSync, readFileSync } from "node:fs"
import { sharedPath } from "../../../tools/shared.ts"

export interface Vector {
  readonly category: string
  readonly name: string
  // The shapes differ by category; each test reads what its category has.
  readonly input: any
  readonly expected: any
}

const file = sharedPath("data/tezos/vectors.json")

export const vectorsMissing: string | undefined = existsSync(file)
  ? undefined
  : `recorded vectors not found at ${file}: only the few in the tests themselves run; set PEERSTRAP_SHARED`

const all: ReadonlyArray<Vector> = vectorsMissing === undefined ? JSON.parse(readFileSync(file, "utf8")).vectors : []

/** Calls `check` for each row and requires that there are `count`, unless all are missing. */
export const eachVector = (category: string, count: number, check: (row: Vector) => void): void => {
  const rows = all.filter((row) => row.category === category)
  if (vectorsMissing === undefined && rows.length !== count) {
    throw new Error(`${rows.length} rows of ${category} instead of ${count}`)
  }
  for (const row of rows) {
    try {
      check(row)
    } catch (error) {
      throw new Error(`${category} "${row.name}": ${String(error)}`, { cause: error })
    }
  }
}

export const bytes = (text: string): Uint8Array => hex.decode(text)
export const text = (value: Uint8Array): string => hex.encode(value)
