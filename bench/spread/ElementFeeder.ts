/**
 * Answers any request for blocks of the answer set, whatever ids it names: elements are copied from a few that were encoded at the start
 * and get their id's digits. For runs in which the client decides which peer is asked for what. Every feeder has the same bytes.
 * Usage: ElementFeeder.ts BYTES_PER_BLOCK COUNT; prints {"port":…} when it is ready and ends with its standard input.
 */
import {
  DeclaredErrors,
  decodeBlocksRequest,
  decodeCallHead,
  decodeMetadataRequest,
  encodeBlocksAnswer,
  encodeCallResponse,
  encodeInit,
  encodeMetadataAnswer,
  FrameSplitter,
  FrameType,
  isWireFault,
  Method,
  protocolVersion
} from "@peerstrap/m3db-wire"
import { adler32 } from "@peerstrap/m3tsz"
import * as Net from "node:net"
import { seededRandom } from "../method/Statistics.ts"
import { blockSize, blockStart, idOf, pageItems } from "../replicas/AnswerSet.ts"

const [blockBytes, count] = process.argv.slice(2).map(Number) as [number, number]

const random = seededRandom(blockBytes)
const idBytes = idOf(0).length
const digits = 8

/** Around the elements of an answer: two field headers, the type and number of the elements; two ends. */
const headBytes = 11
const tailBytes = 2

const templates = Array.from({ length: 61 }, () => {
  const whole = Uint8Array.from({ length: blockBytes }, () => random() * 256)
  const checksum = adler32(whole)
  const [head, tail] = [whole.subarray(0, blockBytes - 3), whole.subarray(blockBytes - 3)]
  const merged = { head, tail, startTime: blockStart, blockSize, checksum }
  const answer = encodeBlocksAnswer([{ id: idOf(0), blocks: [{ start: blockStart, merged, checksum }] }])
  return { answer, element: answer.subarray(headBytes, answer.length - tailBytes), checksum }
})
const elementBytes = templates[0]!.element.length
/** Field header and length come before the id. */
const digitsAt = 7 + idBytes - digits

const seriesOf = (buffer: Uint8Array, end: number): number => {
  let series = 0
  for (let at = end - digits; at < end; at++) series = series * 10 + buffer[at]! - 0x30
  return series
}

const blocksAnswer = (request: Uint8Array): Uint8Array => {
  const decoded = decodeBlocksRequest(request)
  if (isWireFault(decoded)) throw decoded
  const { buffer, elementCount, idLength, idOffset } = decoded
  const out = new Uint8Array(headBytes + elementCount * elementBytes + tailBytes)
  out.set(templates[0]!.answer.subarray(0, headBytes))
  new DataView(out.buffer).setInt32(headBytes - 4, elementCount)
  for (let row = 0, at = headBytes; row < elementCount; row++, at += elementBytes) {
    const end = idOffset[row]! + idLength[row]!
    out.set(templates[seriesOf(buffer, end) % templates.length]!.element, at)
    out.set(buffer.subarray(end - digits, end), at + digitsAt)
  }
  return out
}

const pageAnswer = (request: Uint8Array): Uint8Array => {
  const decoded = decodeMetadataRequest(request)
  if (isWireFault(decoded)) throw decoded
  const first = decoded.pageToken === undefined ? 0 : Number(new TextDecoder().decode(decoded.pageToken))
  const next = Math.min(count, first + pageItems)
  const elements = Array.from({ length: next - first }, (_, row) => ({
    id: idOf(first + row),
    start: blockStart,
    size: BigInt(blockBytes),
    checksum: templates[(first + row) % templates.length]!.checksum
  }))
  return encodeMetadataAnswer(elements, next < count ? new TextEncoder().encode(String(next)) : undefined)
}

/** A request as it comes in: frames of one call, their third argument put together. */
interface OpenRequest {
  readonly method: string
  readonly parts: Array<Uint8Array>
}

const answer = ({ method, parts }: OpenRequest): Uint8Array => {
  const request = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    request.set(part, at)
    at += part.length
  }
  if (method === Method.fetchBlocks) return blocksAnswer(request)
  if (method === Method.fetchBlocksMetadata) return pageAnswer(request)
  throw DeclaredErrors.notInitialized()
}

const view = (buffer: Uint8Array): DataView => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)

/** The chunk at `at`, copied, and where it ends. */
const chunkAt = (buffer: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly end: number } => {
  const end = at + 2 + view(buffer).getUint16(at)
  return { bytes: buffer.slice(at + 2, end), end }
}

const opened = (buffer: Uint8Array, start: number, end: number): OpenRequest => {
  const head = decodeCallHead("request", buffer, start, end)
  if (isWireFault(head)) throw head
  const arg1 = chunkAt(buffer, head.end + 1 + (buffer[head.end] === 0 ? 0 : 4))
  const arg2 = chunkAt(buffer, arg1.end)
  return { method: new TextDecoder().decode(arg1.bytes), parts: [chunkAt(buffer, arg2.end).bytes] }
}

const serve = (socket: Net.Socket): void => {
  const open = new Map<number, OpenRequest>()
  const splitter = new FrameSplitter((type, id, buffer, start, end) => {
    if (type === FrameType.initRequest) {
      const pairs = [["host_port", "127.0.0.1:0"], ["process_name", "feeder"]] as const
      socket.write(encodeInit(FrameType.initResponse, id, { version: protocolVersion, pairs }))
      return
    }
    if (type === FrameType.callRequest) open.set(id, opened(buffer, start, end))
    else if (type === FrameType.callRequestContinue) {
      const checksumBytes = buffer[start + 1] === 0 ? 0 : 4
      open.get(id)?.parts.push(chunkAt(buffer, start + 2 + checksumBytes).bytes)
    }
    const request = open.get(id)
    if (request === undefined || (buffer[start]! & 1) !== 0) return
    open.delete(id)
    socket.cork()
    const frames = encodeCallResponse({ id, code: 0, arg3: answer(request), checksumType: 1 })
    for (const frame of frames) socket.write(frame)
    socket.uncork()
  })
  socket.on("data", (chunk: Uint8Array) => {
    const fault = splitter.push(chunk)
    if (fault !== undefined) throw fault
  })
  // A side that has all it wants leaves without further words.
  socket.on("error", () => socket.destroy())
}

const server = Net.createServer({ noDelay: true }, serve)
server.listen(0, "127.0.0.1", () => {
  const bound = server.address()
  if (typeof bound !== "object" || bound === null) throw new Error("no port")
  const bytes = count * elementBytes
  process.stdout.write(`${JSON.stringify({ port: bound.port, bytes })}\n`)
})
process.stdin.resume().on("end", () => process.exit(0))
