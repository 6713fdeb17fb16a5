/**
 * Digests of decoded points: two blocks are the same data exactly when these are equal, whatever their encoding.
 * SHA-256 over, for each point, 8 bytes big-endian int64 ns and 8 bytes big-endian float64 bits; the second form adds
 * 1 byte unit id, 4 bytes big-endian annotation length and the annotation.
 */
import { createHash } from "node:crypto"
import type { Datapoints } from "../contract/Datapoints.ts"
import { high, low, wordsOf } from "./Words.ts"

/** Bytes hashed at a time. */
const chunkBytes = 1 << 16
const largestPoint = 21
const chunk = new Uint8Array(chunkBytes)
const view = new DataView(chunk.buffer)

const digest = (points: Datapoints, whole: boolean): string => {
  const hash = createHash("sha256")
  const times = wordsOf(points.timestamps)
  const values = wordsOf(points.values)
  let at = 0
  for (let i = 0; i < points.count; i++) {
    if (at + largestPoint > chunkBytes) {
      hash.update(chunk.subarray(0, at))
      at = 0
    }
    view.setInt32(at, times[2 * i + high]!)
    view.setInt32(at + 4, times[2 * i + low]!)
    view.setInt32(at + 8, values[2 * i + high]!)
    view.setInt32(at + 12, values[2 * i + low]!)
    at += 16
    if (!whole) continue
    const annotation = points.annotations.get(i)
    chunk[at] = points.units[i]!
    view.setUint32(at + 1, annotation?.length ?? 0)
    at += 5
    if (annotation !== undefined) {
      hash.update(chunk.subarray(0, at))
      hash.update(annotation)
      at = 0
    }
  }
  return hash.update(chunk.subarray(0, at)).digest("hex")
}

/** SHA-256 in hex over times and value bits. */
export const digestPoints = (points: Datapoints): string => digest(points, false)

/** SHA-256 in hex over times, value bits, units and annotations. */
export const digestPointsWithUnits = (points: Datapoints): string => digest(points, true)
