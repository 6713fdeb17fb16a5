/**
 * Serves prepared answers from memory, in a process of its own, as fast as the socket takes them: nothing is encoded or summed
 * while a side reads. A client that shakes hands is answered call by call; one that sends `F` gets all batches in a row.
 * Usage: Feeder.ts BYTES_PER_BLOCK MIB; prints {"port":…} when it is ready and ends with its standard input.
 */
import {
  decodeCallHead,
  decodeMetadataRequest,
  encodeInit,
  FrameSplitter,
  FrameType,
  isWireFault,
  Method,
  protocolVersion
} from "@peerstrap/m3db-wire"
import * as Net from "node:net"
import { makeAnswerSet, pageItems, type PreparedAnswer, setCallId } from "./AnswerSet.ts"

const set = makeAnswerSet(Number(process.argv[2]), Number(process.argv[3]))

/** All batches in a row, the next whenever the socket has drained. */
const firehose = (socket: Net.Socket): void => {
  let next = 0
  const pour = (): void => {
    while (next < set.batches.length) if (!socket.write(set.batches[next++]!.bytes)) return
    socket.end()
  }
  socket.on("drain", pour)
  pour()
}

/** Number of elements and of the first series, read at the fixed places at which our client's requests have them. */
const batchOf = (arg3: Buffer): PreparedAnswer => {
  const list = 3 + 7 + arg3.readInt32BE(6) + 7
  const items = arg3.readInt32BE(list + 4)
  const id = list + 8 + 7
  const end = id + arg3.readInt32BE(id - 4)
  const first = Number(arg3.toString("latin1", end - 8, end))
  const answer = set.batches[first / set.batchItems]
  if (answer === undefined || items !== set.batchItems) {
    throw new Error(`a request for ${items} series from ${first}: prepared are batches of ${set.batchItems}`)
  }
  return answer
}

const pageOf = (arg3: Buffer): PreparedAnswer => {
  const request = decodeMetadataRequest(arg3)
  if (isWireFault(request)) throw request
  const first = request.pageToken === undefined ? 0 : Number(new TextDecoder().decode(request.pageToken))
  return set.pages[first / pageItems]!
}

const answerOf = (buffer: Uint8Array, start: number, end: number): PreparedAnswer => {
  const head = decodeCallHead("request", buffer, start, end)
  if (isWireFault(head)) throw head
  const payload = Buffer.from(buffer.buffer, buffer.byteOffset, end)
  // Checksum type and checksum, then the three arguments, the last of which may go on in further frames.
  const arg1 = head.end + 1 + (payload[head.end] === 0 ? 0 : 4)
  const arg2 = arg1 + 2 + payload.readUInt16BE(arg1)
  const arg3 = payload.subarray(arg2 + 2 + payload.readUInt16BE(arg2) + 2)
  const method = payload.toString("latin1", arg1 + 2, arg2)
  if (method === Method.fetchBlocks) return batchOf(arg3)
  if (method === Method.fetchBlocksMetadata) return pageOf(arg3)
  throw new Error(`method ${method} is not prepared`)
}

const serve = (socket: Net.Socket, first: Uint8Array): void => {
  const open = new Map<number, PreparedAnswer>()
  const splitter = new FrameSplitter((type, id, buffer, start, end) => {
    if (type === FrameType.initRequest) {
      const pairs = [["host_port", "127.0.0.1:0"], ["process_name", "feeder"]] as const
      socket.write(encodeInit(FrameType.initResponse, id, { version: protocolVersion, pairs }))
      return
    }
    if (type === FrameType.callRequest) open.set(id, answerOf(buffer, start, end))
    const isLast = (buffer[start]! & 1) === 0
    const answer = open.get(id)
    if (!isLast || answer === undefined) return
    open.delete(id)
    setCallId(answer, id)
    socket.write(answer.bytes)
  })
  const take = (chunk: Uint8Array): void => {
    const fault = splitter.push(chunk)
    if (fault !== undefined) throw fault
  }
  take(first)
  socket.on("data", take)
}

const server = Net.createServer({ noDelay: true }, (socket) => {
  // A side that has all it wants leaves without further words.
  socket.on("error", () => socket.destroy())
  socket.once("data", (chunk: Buffer) => {
    if (chunk.length === 1 && chunk[0] === 0x46) firehose(socket)
    else serve(socket, chunk)
  })
})

server.listen(0, "127.0.0.1", () => {
  const bound = server.address()
  const bytes = set.batches.reduce((sum, batch) => sum + batch.bytes.length, 0)
  if (typeof bound !== "object" || bound === null) throw new Error("no port")
  const { batchItems, count } = set
  process.stdout.write(`${JSON.stringify({ port: bound.port, bytes, count, batchItems })}\n`)
})
process.stdin.resume().on("end", () => process.exit(0))
