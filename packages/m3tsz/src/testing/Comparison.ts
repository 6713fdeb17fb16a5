/** Points side by side, bit for bit, in a form that a failing test can print. */
import type { Datapoints } from "../contract/Datapoints.ts"
import { compareWords, high, low, pointWords } from "../engine/Words.ts"

const hex = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "" : Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** `time bits unit annotation` of each point: ns, 16 hex digits, id, hex. */
export const describePoints = (points: Datapoints): Array<string> => {
  const { values } = pointWords(points)
  const word = (index: number): string => (values[index]! >>> 0).toString(16).padStart(8, "0")
  return Array.from(
    { length: points.count },
    (_, i) =>
      `${points.timestamps[i]} ${word(2 * i + high)}${word(2 * i + low)} ${points.units[i]} ${
        hex(points.annotations.get(i))
      }`
  )
}

/** What is compared beside times and values. */
export interface ComparisonOptions {
  /** Default true. */
  readonly units?: boolean
}

/** Index of the first point that differs in time, value bits, annotation or unit, or the shorter length; −1 when equal. */
export const firstDifference = (a: Datapoints, b: Datapoints, options?: ComparisonOptions): number => {
  const one = pointWords(a)
  const two = pointWords(b)
  const count = Math.min(a.count, b.count)
  for (let i = 0; i < count; i++) {
    const same = (x: Int32Array, y: Int32Array): boolean =>
      compareWords(x[2 * i + high]!, x[2 * i + low]!, y[2 * i + high]!, y[2 * i + low]!) === 0
    if (!same(one.times, two.times) || !same(one.values, two.values)) return i
    if (options?.units !== false && a.units[i] !== b.units[i]) return i
    if (hex(a.annotations.get(i)) !== hex(b.annotations.get(i))) return i
  }
  return a.count === b.count ? -1 : count
}
