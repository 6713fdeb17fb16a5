/** Reads the streams of some series from a data file: neighbours in one read, each verified against its checksum. */
import { showId } from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import type { File } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { hex32 } from "../codec/IndexEntry.ts"
import { fault, io, refetch } from "./Faults.ts"

/** Columns of the series wanted, in any order. */
export interface SeriesPlaces {
  readonly count: number
  readonly ids: ReadonlyArray<Uint8Array>
  readonly offsets: Float64Array
  readonly sizes: Uint32Array
  readonly checksums: Uint32Array
}

/** `bytes[i]` for each place; views into shared buffers of at most the sum of all sizes. */
export const readSeries = Effect.fnUntraced(function*(file: File, places: SeriesPlaces) {
  const { checksums, count, ids, offsets, sizes } = places
  const order = Array.from({ length: count }, (_, i) => i)
  order.sort((a, b) => offsets[a]! - offsets[b]!)
  const bytes = Array.from<Uint8Array>({ length: count })
  for (let first = 0; first < count;) {
    const start = offsets[order[first]!]!
    let end = start + sizes[order[first]!]!
    let last = first + 1
    for (let next = order[last]; next !== undefined && offsets[next] === end; next = order[++last]) end += sizes[next]!
    const read = yield* io(file.read(start, end - start))
    if (read.length < end - start) {
      return yield* fault(
        "io",
        file.path,
        "the file became shorter while it was read",
        "read again",
        start + read.length
      )
    }
    for (; first < last; first++) {
      const row = order[first]!
      const at = offsets[row]! - start
      const one = read.subarray(at, at + sizes[row]!)
      const actual = adler32(one)
      if (actual !== checksums[row]) {
        const message = `series ${showId(ids[row]!)}: checksum is ${hex32(checksums[row]!)}, the bytes have ${
          hex32(actual)
        }`
        return yield* fault("checksum", file.path, message, refetch, offsets[row]!)
      }
      bytes[row] = one
    }
  }
  return bytes as ReadonlyArray<Uint8Array>
})
