/**
 * The rival of S1: a reader of block answers written by hand for exactly these bytes, without Effect, without our packages. It
 * knows the field order of a node by heart, checks every fragment's CRC-32 and every block's Adler-32 against the announced one,
 * keeps no answer, matches nothing against a listing, and asks for nothing: it only reads.
 * Usage: HandReader.ts PORT BYTES COUNT
 */
import * as Net from "node:net"
import { crc32 } from "node:zlib"
import { startTiming, tell } from "../method/Side.ts"
import { plainAdler } from "../sums/PlainAdler.ts"

const [port, wantedBytes, wantedBlocks] = process.argv.slice(2).map(Number) as [number, number, number]

let blocks = 0

/** Elements in a node's field order, one block of one merged segment each. */
const readAnswer = (b: Uint8Array, view: DataView, length: number): void => {
  const count = view.getInt32(3 + 4)
  let p = 3 + 8
  for (let i = 0; i < count; i++) {
    // Id, head of the list of blocks, start, two struct headers.
    p += 7 + view.getInt32(p + 3) + 8 + 11 + 6
    const head = p + 7
    const tail = head + view.getInt32(p + 3) + 7
    const end = tail + view.getInt32(tail - 4)
    const sum = plainAdler(plainAdler(1, b, head, tail - 7), b, tail, end)
    // Start time, block size and checksum of the segment, two ends, the block's checksum, two ends.
    p = end + 33 + 2 + 11 + 2
    if (view.getUint32(p - 6) !== sum) throw new Error(`checksum of block ${blocks}`)
    blocks++
  }
  if (p + 2 !== length) throw new Error(`answer of ${length} bytes ends at ${p + 2}`)
}

const answer = new Uint8Array(8 << 20)
const answerView = new DataView(answer.buffer)
let answerBytes = 0
let running = 0

/** One frame: 16 bytes of header, then flags, on the first frame code, tracing and headers, checksum, chunks. */
const readFrame = (b: Uint8Array, at: number, size: number): void => {
  const end = at + size
  const isFirst = b[at + 2] === 0x04
  let p = at + 17
  if (isFirst) {
    p += 1 + 25
    for (let left = 2 * b[p++]!; left > 0; left--) p += 1 + b[p]!
    answerBytes = 0
    running = 0
  }
  p++
  const announced = ((b[p]! << 24) | (b[p + 1]! << 16) | (b[p + 2]! << 8) | b[p + 3]!) >>> 0
  p += 4
  // Of a first frame the third chunk is the answer; the first two are empty and two bytes.
  for (let chunk = isFirst ? 0 : 2; p < end; chunk++) {
    const length = (b[p]! << 8) | b[p + 1]!
    const bytes = b.subarray(p + 2, p + 2 + length)
    running = crc32(bytes, running)
    if (chunk === 2) {
      answer.set(bytes, answerBytes)
      answerBytes += length
    }
    p += 2 + length
  }
  if (running !== announced) throw new Error("checksum of a fragment")
  if ((b[at + 16]! & 1) === 0) readAnswer(answer, answerView, answerBytes)
}

const carried = new Uint8Array(65_536)
let carriedBytes = 0
let bytes = 0

const take = (chunk: Uint8Array): void => {
  bytes += chunk.length
  let p = 0
  while (p < chunk.length) {
    if (carriedBytes === 0 && chunk.length - p >= 2) {
      const size = (chunk[p]! << 8) | chunk[p + 1]!
      if (chunk.length - p >= size) {
        readFrame(chunk, p, size)
        p += size
        continue
      }
    }
    const size = carriedBytes >= 2 ? (carried[0]! << 8) | carried[1]! : 2
    const piece = chunk.subarray(p, p + size - carriedBytes)
    carried.set(piece, carriedBytes)
    carriedBytes += piece.length
    p += piece.length
    if (carriedBytes > 2 && carriedBytes === size) {
      carriedBytes = 0
      readFrame(carried, 0, size)
    }
  }
}

const socket = Net.connect({
  host: "127.0.0.1",
  port,
  onread: {
    buffer: Buffer.alloc(256 * 1024),
    callback: (length, buffer) => {
      take(buffer.subarray(0, length))
      if (bytes === wantedBytes) finish()
      return true
    }
  }
})
let finish = (): void => undefined
socket.on("connect", () => {
  const end = startTiming()
  finish = () => {
    const measured = end({ bytes, items: blocks })
    if (blocks !== wantedBlocks) throw new Error(`${blocks} blocks of ${wantedBlocks}`)
    tell(measured)
    socket.destroy()
  }
  socket.write("F")
})
