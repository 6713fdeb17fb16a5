/** Fetches the copies of some series-blocks from one replica, and finds in the answer what was asked for. */
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import { absentChecksum, type BlocksAnswer, type NodeClient } from "@peerstrap/m3db-wire"
import { adler32Start, adler32Update } from "@peerstrap/m3tsz"
import * as Effect from "effect/Effect"
import { hex32 } from "../inspect/IdText.ts"
import { askPeer, type PeerFailure } from "./AskPeer.ts"
import type { AskOptions } from "./ListShard.ts"
import type { CopySegments } from "./PointComparison.ts"

export interface WantedCopy {
  readonly id: Uint8Array
  /** ns. */
  readonly blockStart: bigint
}

/** The bytes of a copy, or why they cannot be compared. */
export type FetchedCopy = CopySegments | string

const keyOf = (id: Uint8Array, hi: number, lo: number): string =>
  `${Buffer.from(id.buffer, id.byteOffset, id.length).toString("latin1")}/${hi},${lo}`

const startHi = (start: bigint): number => Number(BigInt.asIntN(32, start >> 32n))
const startLo = (start: bigint): number => Number(BigInt.asIntN(32, start))

/** One block of an answer with its checksum checked. */
const readBlock = (answer: BlocksAnswer, row: number): FetchedCopy => {
  const { buffer } = answer
  if (answer.errorLength[row]! >= 0) {
    const offset = answer.errorOffset[row]!
    return `the replica reports: ${
      Buffer.from(buffer.subarray(offset, offset + Math.min(200, answer.errorLength[row]!)))
    }`
  }
  const segments: Array<ReadonlyArray<Uint8Array>> = []
  let checksum = adler32Start
  for (let at = answer.firstSegment[row]!; at < answer.firstSegment[row + 1]!; at++) {
    const pieces = [
      buffer.subarray(answer.headOffset[at]!, answer.headOffset[at]! + answer.headLength[at]!),
      buffer.subarray(answer.tailOffset[at]!, answer.tailOffset[at]! + answer.tailLength[at]!)
    ].filter(({ length }) => length > 0)
    for (const piece of pieces) checksum = adler32Update(checksum, piece, 0, piece.length)
    if (pieces.length > 0) segments.push(pieces)
  }
  const told = answer.checksum[row]!
  if (told !== absentChecksum && told !== checksum) {
    return `the answer's checksum is ${hex32(told)}, its bytes have ${hex32(checksum)}`
  }
  return segments.length === 0 ? "the replica listed the block, but gave no data" : segments
}

/** By key; a block that comes more than once (memory and disk) is its segments together. */
const copiesOf = (answer: BlocksAnswer): ReadonlyMap<string, FetchedCopy> => {
  const copies = new Map<string, FetchedCopy>()
  for (let element = 0; element < answer.elementCount; element++) {
    const offset = answer.idOffset[element]!
    const id = answer.buffer.subarray(offset, offset + answer.idLength[element]!)
    for (let row = answer.firstBlock[element]!; row < answer.firstBlock[element + 1]!; row++) {
      const key = keyOf(id, answer.startHi[row]!, answer.startLo[row]!)
      const copy = readBlock(answer, row)
      const before = copies.get(key)
      copies.set(
        key,
        before === undefined || typeof before === "string" || typeof copy === "string"
          ? before !== undefined && typeof before === "string" ? before : copy
          : [...before, ...copy]
      )
    }
  }
  return copies
}

export interface FetchOptions extends AskOptions {
  readonly namespace: Uint8Array
  readonly shard: number
}

/** One result for each item, in order. A batch that is too large for one answer is asked in halves. */
export const fetchCopies = (
  client: NodeClient,
  wanted: ReadonlyArray<WantedCopy>,
  options: FetchOptions
): Effect.Effect<ReadonlyArray<FetchedCopy>, PeerFailure> => {
  if (wanted.length === 0) return Effect.succeed([])
  const { deadlineMillis, namespace, onRetry, shard } = options
  const request = {
    namespace,
    shard,
    ids: wanted.map(({ id }) => id),
    startHi: Int32Array.from(wanted, ({ blockStart }) => startHi(blockStart)),
    startLo: Int32Array.from(wanted, ({ blockStart }) => startLo(blockStart))
  }
  const call = client.fetchBlocks(request, { maxAnswerBytes: defaultStreamLimits.maxAnswerBytes })
  return askPeer(call, deadlineMillis, onRetry).pipe(
    Effect.map((answer) => {
      const copies = copiesOf(answer)
      return wanted.map(({ blockStart, id }): FetchedCopy =>
        copies.get(keyOf(id, startHi(blockStart), startLo(blockStart))) ??
          "the replica listed the block, but did not give it"
      )
    }),
    Effect.catch((failure) => {
      if (failure.reason !== "too-large") return Effect.fail(failure)
      if (wanted.length === 1) return Effect.succeed([failure.message])
      const half = wanted.length >> 1
      return Effect.map(
        Effect.all([
          fetchCopies(client, wanted.slice(0, half), options),
          fetchCopies(client, wanted.slice(half), options)
        ]),
        (halves) => halves.flat()
      )
    })
  )
}
