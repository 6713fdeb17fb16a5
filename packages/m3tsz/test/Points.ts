// Points written down as rows, and hex, for tests.
import type { Datapoints } from "@peerstrap/m3tsz"

export interface Row {
  readonly t: string
  readonly bits: string
  readonly unit: number
  readonly annotation?: string
}

export const fromHex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

export const toHex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")

export const fromRows = (rows: ReadonlyArray<Row>): Datapoints => {
  const values = new Float64Array(rows.length)
  const bits = new BigUint64Array(values.buffer)
  const points: Datapoints = {
    count: rows.length,
    timestamps: BigInt64Array.from(rows, (row) => BigInt(row.t)),
    values,
    units: Uint8Array.from(rows, (row) => row.unit),
    annotations: new Map()
  }
  rows.forEach((row, i) => {
    bits[i] = BigInt(`0x${row.bits}`)
    if (row.annotation !== undefined) points.annotations.set(i, fromHex(row.annotation))
  })
  return points
}

/** Seconds (or `nanos`) after `start` with their values. */
export const series = (
  start: bigint,
  unit: number,
  rows: ReadonlyArray<readonly [offset: number, value: number, annotation?: string]>,
  nanos = 1_000_000_000n
): Datapoints => ({
  count: rows.length,
  timestamps: BigInt64Array.from(rows, ([offset]) => start + BigInt(offset) * nanos),
  values: Float64Array.from(rows, ([, value]) => value),
  units: new Uint8Array(rows.length).fill(unit),
  annotations: new Map(rows.flatMap(([, , text], i) => text === undefined ? [] : [[i, fromHex(text)] as const]))
})

/** The value, or a failure of the test that says what the error says. */
export const expectValue = <A extends object, E extends { readonly _tag: string; readonly message: string }>(
  result: A | E
): Exclude<A, E> => {
  if ("_tag" in result) throw new Error(`${result._tag}: ${(result as E).message}`)
  return result as Exclude<A, E>
}
