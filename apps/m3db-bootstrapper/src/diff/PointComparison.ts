/** Compares decoded copies of one block, whatever their encoding: times and value bits, as a digest does. Pure. */
import { type Datapoints, decodeBlock, mergeSegments } from "@peerstrap/m3tsz"

/** Segments of a copy, each as consecutive pieces (head, tail). */
export type CopySegments = ReadonlyArray<ReadonlyArray<Uint8Array>>

/** The points that reading this copy gives; a text when it cannot be read. */
export const decodeCopy = (segments: CopySegments, maxPoints: number): Datapoints | string => {
  const layers: Array<Datapoints> = []
  for (const pieces of segments) {
    const layer = decodeBlock(pieces, { maxPoints })
    if ("_tag" in layer) return layer.message
    layers.push(layer)
  }
  const points = mergeSegments(layers)
  return "_tag" in points ? points.message : points
}

export interface FirstDifference {
  /** ns. */
  readonly timestamp: bigint
  /** By copy; undefined when it has no point there. */
  readonly values: ReadonlyArray<number | undefined>
}

export interface PointDifferences {
  /** Times at which some copy lacks the point or has another value. */
  readonly count: number
  readonly first: FirstDifference | undefined
}

const bitsOf = ({ values }: Datapoints): BigUint64Array =>
  new BigUint64Array(values.buffer, values.byteOffset, values.length)

/** Walks all copies in time order at once. Times inside a copy ascend. */
export const comparePoints = (copies: ReadonlyArray<Datapoints>): PointDifferences => {
  const bits = copies.map(bitsOf)
  const at = copies.map(() => 0)
  let count = 0
  let first: FirstDifference | undefined
  for (;;) {
    let time: bigint | undefined
    copies.forEach(({ count: points, timestamps }, copy) => {
      if (at[copy]! < points && (time === undefined || timestamps[at[copy]!]! < time)) time = timestamps[at[copy]!]
    })
    if (time === undefined) return { count, first }
    let value: bigint | undefined
    let differs = false
    const held = copies.map(({ count: points, timestamps }, copy) =>
      at[copy]! < points && timestamps[at[copy]!] === time
    )
    for (let copy = 0; copy < copies.length; copy++) {
      const here = held[copy] === true ? bits[copy]![at[copy]!] : undefined
      if (copy > 0 && here !== value) differs = true
      value = copy === 0 ? here : value
    }
    if (differs) {
      count++
      first ??= {
        timestamp: time,
        values: copies.map(({ values }, copy) => held[copy] === true ? values[at[copy]!] : undefined)
      }
    }
    for (let copy = 0; copy < copies.length; copy++) if (held[copy] === true) at[copy]!++
  }
}
