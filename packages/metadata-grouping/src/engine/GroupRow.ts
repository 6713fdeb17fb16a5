/**
 * The words of a group's row, side by side so that a report touches one or two cache lines whatever it finds there.
 *
 *     series · start hi · start lo · counts (missing in bits 0…7, reporters in 8…15) · ready · per peer: checksum, mark (size in
 *     bits 0…29, presence in 30 and 31)
 *
 * `ready` does not belong to the group: in row i it names the group that was the i-th to become ready.
 */
import { noChecksum } from "../contract/Grouping.ts"
import { Limits } from "../contract/Limits.ts"

export const seriesWord = 0
export const hiWord = 1
export const loWord = 2
export const countsWord = 3
export const readyWord = 4
export const cellWords = 5

/** In the counts: unfinished peers that have not reported the group; 0 means ready. */
export const missingMask = 0xff
export const reportersShift = 8
export const oneReporter = 1 << reportersShift

/** Of a mark: size and presence. */
export const sizeMask = 0x3fff_ffff
export const presenceShift = 30
export const absent = 0
export const withoutChecksum = 1
export const withChecksum = 2

/** Words of a row. */
export const strideOf = (peerCount: number): number => cellWords + 2 * peerCount

/** Size and presence in one word. */
export const markOf = (size: number, checksum: number): number => {
  const kept = size > 0 ? Math.min(size, Limits.maxSizeBytes) : 0
  return ((checksum === noChecksum ? withoutChecksum : withChecksum) << presenceShift) | kept
}
