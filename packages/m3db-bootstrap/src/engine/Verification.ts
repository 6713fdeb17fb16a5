/**
 * Is a delivered block what the peer announced? The checksum of the answer *and* the one of the metadata are compared with
 * one recomputed over the bytes. (specs: peer streaming 3.8, 3.16, 5.3; D4, D5)
 */
import { type BlocksAnswer, usualTailGap } from "@peerstrap/m3db-wire"
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"
import { noChecksum } from "@peerstrap/metadata-grouping"

/** Segments of a copy, oldest layer first; each is head and tail without empty pieces. */
export type Segments = ReadonlyArray<ReadonlyArray<Uint8Array>>

/** Copies the pieces of one segment into a buffer of its own. */
export const joinPieces = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  let length = 0
  for (const piece of pieces) length += piece.length
  const joined = new Uint8Array(length)
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.length
  }
  return joined
}

export type Delivered =
  /** One stream whose recomputed checksum equals the advertised one. */
  | { readonly _tag: "as-advertised"; readonly segments: Segments; readonly checksum: number; readonly bytes: number }
  /** Consistent in itself, but nothing was advertised to compare with. `checksum` is `noChecksum` for several segments. */
  | { readonly _tag: "unannounced"; readonly segments: Segments; readonly checksum: number; readonly bytes: number }
  /** Consistent in itself, but not what the metadata said: the block changed since, or the peer lies. */
  | {
    readonly _tag: "differs"
    readonly segments: Segments
    readonly checksum: number
    readonly bytes: number
    readonly detail: string
  }
  /** Nothing usable. `kind` names the evidence. */
  | { readonly _tag: "unusable"; readonly kind: string; readonly detail: string }

const hex = (checksum: number): string => `0x${checksum.toString(16).padStart(8, "0")}`

const textDecoder = new TextDecoder()

const piecesOfSegment = (answer: BlocksAnswer, at: number): Array<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  const headLength = answer.headLength[at]!
  const tailLength = answer.tailLength[at]!
  if (headLength > 0) {
    pieces.push(answer.buffer.subarray(answer.headOffset[at]!, answer.headOffset[at]! + headLength))
  }
  if (tailLength > 0) {
    pieces.push(answer.buffer.subarray(answer.tailOffset[at]!, answer.tailOffset[at]! + tailLength))
  }
  return pieces
}

const segmentsOfRow = (answer: BlocksAnswer, row: number, out: Array<ReadonlyArray<Uint8Array>>): void => {
  for (let at = answer.firstSegment[row]!; at < answer.firstSegment[row + 1]!; at++) {
    const pieces = piecesOfSegment(answer, at)
    if (pieces.length > 0) out.push(pieces)
  }
}

const checksumOfRow = (answer: BlocksAnswer, row: number): number => {
  let checksum = adler32Start
  for (let at = answer.firstSegment[row]!; at < answer.firstSegment[row + 1]!; at++) {
    checksum = adler32Update(checksum, answer.buffer, answer.headOffset[at]!, answer.headLength[at]!)
    checksum = adler32Update(checksum, answer.buffer, answer.tailOffset[at]!, answer.tailLength[at]!)
  }
  return checksum
}

const bytesOf = (segments: Segments): number => {
  let bytes = 0
  for (const pieces of segments) for (const piece of pieces) bytes += piece.length
  return bytes
}

/** Bytes of the one segment of a row. */
export const rowBytes = (answer: BlocksAnswer, row: number): number => {
  const { usual } = answer
  if (usual !== undefined) return usual.rows[4 * row + 1]! + usual.rows[4 * row + 2]!
  const at = answer.firstSegment[row]!
  return answer.headLength[at]! + answer.tailLength[at]!
}

/**
 * The usual case without an object: one stream whose bytes have the advertised checksum, and the answer does not contradict. False
 * says nothing: `verifyDelivered` finds out what it is.
 */
export const isAsAdvertised = (answer: BlocksAnswer, row: number, advertised: number): boolean => {
  const at = answer.firstSegment[row]!
  if (answer.firstSegment[row + 1] !== at + 1 || answer.errorLength[row]! >= 0) return false
  if (rowBytes(answer, row) === 0) return false
  const announced = answer.checksum[row]!
  if (announced !== noChecksum && announced !== advertised) return false
  return checksumOfRow(answer, row) === advertised
}

/** The pieces of the one segment of a row. */
export const piecesOfRow = (answer: BlocksAnswer, row: number): ReadonlyArray<Uint8Array> => {
  const { buffer, usual } = answer
  if (usual === undefined) return piecesOfSegment(answer, answer.firstSegment[row]!)
  const head = usual.rows[4 * row]!
  const headEnd = head + usual.rows[4 * row + 1]!
  const tail = headEnd + usualTailGap
  const tailEnd = tail + usual.rows[4 * row + 2]!
  if (tail === tailEnd) return [buffer.subarray(head, headEnd)]
  return head === headEnd
    ? [buffer.subarray(tail, tailEnd)]
    : [buffer.subarray(head, headEnd), buffer.subarray(tail, tailEnd)]
}

/** Checks the rows that came for one item against the advertised checksum (`noChecksum` when there was none). */
export const verifyDelivered = (
  answer: BlocksAnswer,
  row: number,
  moreRows: ReadonlyArray<number> | undefined,
  advertised: number
): Delivered => {
  const segments: Array<ReadonlyArray<Uint8Array>> = []
  let recomputed = noChecksum
  for (const at of moreRows ?? [row]) {
    if (answer.errorLength[at]! >= 0) {
      const offset = answer.errorOffset[at]!
      const message = textDecoder.decode(
        answer.buffer.subarray(offset, offset + Math.min(answer.errorLength[at]!, 200))
      )
      return { _tag: "unusable", kind: "block-error", detail: `the peer reports: ${message}` }
    }
    recomputed = checksumOfRow(answer, at)
    const announced = answer.checksum[at]!
    if (announced !== noChecksum && announced !== recomputed) {
      return {
        _tag: "unusable",
        kind: "corrupt-block",
        detail: `the answer says ${hex(announced)}, its bytes have ${hex(recomputed)}`
      }
    }
    segmentsOfRow(answer, at, segments)
  }
  if (segments.length === 0) {
    return { _tag: "unusable", kind: "hollow-block", detail: "the block came without any data" }
  }
  const bytes = bytesOf(segments)
  const checksum = segments.length === 1 && moreRows === undefined ? recomputed : noChecksum
  if (advertised === noChecksum) return { _tag: "unannounced", segments, checksum, bytes }
  if (checksum === advertised) return { _tag: "as-advertised", segments, checksum, bytes }
  const got = checksum === noChecksum ? `${segments.length} segments` : hex(checksum)
  return { _tag: "differs", segments, checksum, bytes, detail: `advertised ${hex(advertised)}, delivered ${got}` }
}
