/**
 * The bytes that both sides read: one shard, one block start, `count` series whose blocks have `blockBytes` bytes, cut into batches.
 * Ids end with the series' number in eight digits, so that a batch is known by its first id.
 */
import { encodeBlocksAnswer, encodeCallResponse, encodeMetadataAnswer } from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import { seededRandom } from "../method/Statistics.ts"

export const namespace = "metrics"
export const shard = 0
export const blockStart = 1_795_204_800_000_000_000n
export const blockSize = 7_200_000_000_000n

/** Series a metadata page and, above 1 KiB a block, fewer a batch: a batch has about 4 MiB of blocks at most. */
export const pageItems = 4_096
export const batchItemsOf = (blockBytes: number): number =>
  Math.min(pageItems, 2 ** Math.floor(Math.log2(4_194_304 / blockBytes)))

/** Thrift and id around the bytes of a block. */
const elementOverheadBytes = 150

/** Whole batches and whole pages that come to about `mebibytes` of answers. */
export const countOf = (blockBytes: number, mebibytes: number): number =>
  Math.max(1, Math.round((mebibytes * 2 ** 20) / (blockBytes + elementOverheadBytes) / pageItems)) * pageItems

const textEncoder = new TextEncoder()

export const idOf = (series: number): Uint8Array =>
  textEncoder.encode(`http_requests_total{host=web,path=/api}-${String(series).padStart(8, "0")}`)

/** Frames of one answer in one buffer, with the places of their ids. */
export interface PreparedAnswer {
  readonly bytes: Uint8Array
  readonly frameOffsets: ReadonlyArray<number>
}

const framesOf = (arg3: Uint8Array): PreparedAnswer => {
  const frames = encodeCallResponse({ id: 0, code: 0, arg3, checksumType: 1 })
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0))
  const frameOffsets: Array<number> = []
  let at = 0
  for (const frame of frames) {
    frameOffsets.push(at)
    bytes.set(frame, at)
    at += frame.length
  }
  return { bytes, frameOffsets }
}

/** Writes the id of the call that is answered; a frame's checksum does not cover it. */
export const setCallId = ({ bytes, frameOffsets }: PreparedAnswer, id: number): void => {
  const view = new DataView(bytes.buffer)
  for (const offset of frameOffsets) view.setUint32(offset + 4, id)
}

export interface AnswerSet {
  readonly batchItems: number
  readonly count: number
  readonly pages: ReadonlyArray<PreparedAnswer>
  readonly batches: ReadonlyArray<PreparedAnswer>
}

export const makeAnswerSet = (blockBytes: number, mebibytes: number): AnswerSet => {
  const random = seededRandom(blockBytes)
  const count = countOf(blockBytes, mebibytes)
  const batchItems = batchItemsOf(blockBytes)
  // A few different contents suffice: neither checksum is faster for some bytes than for others.
  const contents = Array.from({ length: 61 }, () => {
    const head = Uint8Array.from({ length: blockBytes - 3 }, () => random() * 256)
    const tail = Uint8Array.from({ length: 3 }, () => random() * 256)
    const whole = new Uint8Array(blockBytes)
    whole.set(head)
    whole.set(tail, head.length)
    return { head, tail, checksum: adler32(whole) }
  })
  const contentOf = (series: number) => contents[series % contents.length]!
  const pages: Array<PreparedAnswer> = []
  for (let first = 0; first < count; first += pageItems) {
    const next = first + pageItems
    const elements = Array.from({ length: pageItems }, (_, row) => ({
      id: idOf(first + row),
      start: blockStart,
      size: BigInt(blockBytes),
      checksum: contentOf(first + row).checksum
    }))
    const token = next < count ? textEncoder.encode(String(next)) : undefined
    pages.push(framesOf(encodeMetadataAnswer(elements, token)))
  }
  const batches: Array<PreparedAnswer> = []
  for (let first = 0; first < count; first += batchItems) {
    batches.push(framesOf(encodeBlocksAnswer(Array.from({ length: batchItems }, (_, row) => {
      const { checksum, head, tail } = contentOf(first + row)
      const merged = { head, tail, startTime: blockStart, blockSize, checksum }
      return { id: idOf(first + row), blocks: [{ start: blockStart, merged, checksum }] }
    }))))
  }
  return { batchItems, count, pages, batches }
}
