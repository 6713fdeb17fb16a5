/** TChannel frames by hand, apart from the codec, for the kit of node servers. (specs: peer streaming 1.2–1.8) */
import { crc32 } from "node:zlib"

export interface RawFrame {
  readonly type: number
  readonly id: number
  /** True when both reserved fields are 0. */
  readonly clean: boolean
  readonly payload: Uint8Array
}

const utf8 = new TextEncoder()
const decoder = new TextDecoder()

const u16 = (value: number): ReadonlyArray<number> => [value >>> 8 & 255, value & 255]
const u32 = (value: number): ReadonlyArray<number> => [...u16(value >>> 16), ...u16(value & 0xffff)]

export const rawFrame = (type: number, id: number, payload: ArrayLike<number>): Uint8Array => {
  const frame = new Uint8Array(16 + payload.length)
  frame.set([...u16(frame.length), type, 0, ...u32(id)])
  frame.set(payload, 16)
  return frame
}

export const initRequest = (id: number, version: number, pairs: Readonly<Record<string, string>>): Uint8Array => {
  const payload = [...u16(version), ...u16(Object.keys(pairs).length)]
  for (const literal of Object.entries(pairs).flat()) {
    const bytes = utf8.encode(literal)
    payload.push(...u16(bytes.length), ...bytes)
  }
  return rawFrame(0x01, id, payload)
}

export const validInit = initRequest(1, 2, { host_port: "0.0.0.0:0", process_name: "kit" })

export interface RawRequest {
  readonly id: number
  readonly arg1: string
  readonly arg3: Uint8Array
  /** Default 10,000. */
  readonly ttlMillis?: number
  /** Default `Node`. */
  readonly service?: string
  /** Default `as`=`thrift`, `cn`=`kit`. */
  readonly headers?: ReadonlyArray<readonly [string, string]>
  /** 0, 1 (default) or 3. */
  readonly checksumType?: number
  /** Most argument bytes in a frame; default: all in one, or 60,000. */
  readonly chunkBytes?: number
  /** Added to every checksum: a wrong one. */
  readonly checksumError?: number
}

const crc32c = (bytes: Uint8Array, previous: number): number => {
  let value = ~previous
  for (const byte of bytes) {
    value ^= byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? value >>> 1 ^ 0x82f63b78 : value >>> 1
  }
  return ~value >>> 0
}

const checksumOf = (type: number, bytes: Uint8Array, previous: number): number =>
  type === 1 ? crc32(bytes, previous) : type === 3 ? crc32c(bytes, previous) : 0

const callHead = (request: RawRequest): ReadonlyArray<number> => {
  const service = utf8.encode(request.service ?? "Node")
  const headers = request.headers ?? [["as", "thrift"], ["cn", "kit"]]
  const out = [...u32(request.ttlMillis ?? 10_000), ...new Uint8Array(25), service.length, ...service, headers.length]
  for (const literal of headers.flat()) out.push(literal.length, ...utf8.encode(literal))
  return out
}

/** Leaves room in a frame for its head. */
const largestChunkBytes = 60_000

/** The frames of a request. With `chunkBytes` every frame holds one chunk; an argument that ends a frame is closed by an empty one. */
export const callFrames = (request: RawRequest): ReadonlyArray<Uint8Array> => {
  const type = request.checksumType ?? 1
  const args = [utf8.encode(request.arg1), Uint8Array.of(0, 0), request.arg3]
  const head = callHead(request)
  const frames: Array<Uint8Array> = []
  let crc = 0
  const emit = (chunks: ReadonlyArray<Uint8Array>, more: boolean) => {
    for (const chunk of chunks) crc = checksumOf(type, chunk, crc)
    const first = frames.length === 0
    const sum = type === 0 ? [] : u32((crc + (request.checksumError ?? 0)) >>> 0)
    const start = [more ? 1 : 0, ...(first ? head : []), type, ...sum]
    const payload = new Uint8Array(chunks.reduce((length, chunk) => length + 2 + chunk.length, start.length))
    payload.set(start)
    let at = start.length
    for (const chunk of chunks) {
      payload.set(u16(chunk.length), at)
      payload.set(chunk, at + 2)
      at += 2 + chunk.length
    }
    frames.push(rawFrame(first ? 0x03 : 0x13, request.id, payload))
  }
  const total = args.reduce((sum, arg) => sum + arg.length, 0)
  const chunkBytes = request.chunkBytes ?? (total > largestChunkBytes ? largestChunkBytes : undefined)
  if (chunkBytes === undefined) {
    emit(args, false)
    return frames
  }
  for (const [index, arg] of args.entries()) {
    let at = 0
    // An empty chunk ends the argument before, and its frame goes on with this one.
    let closing: ReadonlyArray<Uint8Array> = index === 0 ? [] : [new Uint8Array(0)]
    do {
      const chunk = arg.subarray(at, at + chunkBytes)
      at += chunk.length
      emit([...closing, chunk], index < 2 || at < arg.length)
      closing = []
    } while (at < arg.length)
  }
  return frames
}

/** One whole answer. */
export interface RawAnswer {
  readonly code: number
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly checksumType: number
  readonly frames: number
  readonly args: readonly [Uint8Array, Uint8Array, Uint8Array]
}

/** Puts an answer together and checks every rule of its frames; `push` gives the whole answer, or undefined while more must come. */
export class AnswerAssembly {
  private readonly chunks: [Array<Uint8Array>, Array<Uint8Array>, Array<Uint8Array>] = [[], [], []]
  private arg = 0
  private crc = 0
  private frames = 0
  private code = 0
  private type = -1
  private headers: Array<readonly [string, string]> = []

  /** Throws a `RangeError` that names the rule broken. */
  push(frame: RawFrame): RawAnswer | undefined {
    const { payload } = frame
    const wanted = this.frames === 0 ? 0x04 : 0x14
    if (frame.type !== wanted) {
      throw new RangeError(`frame type ${frame.type.toString(16)} as number ${this.frames} of an answer`)
    }
    const flags = this.byte(payload, 0)
    if (flags > 1) throw new RangeError(`flags ${flags}`)
    let at = this.frames++ === 0 ? this.head(payload) : 1
    const type = this.byte(payload, at++)
    if (this.type !== -1 && type !== this.type) throw new RangeError("the checksum type changes inside an answer")
    this.type = type
    const sumAt = at
    at += type === 0 ? 0 : 4
    if (at >= payload.length) throw new RangeError("a fragment without a chunk")
    this.readChunks(payload, at)
    if (type !== 0) {
      const sum = new DataView(payload.buffer, payload.byteOffset).getUint32(sumAt)
      if (sum !== this.crc) throw new RangeError("the running checksum is wrong")
    }
    if (flags === 1) return undefined
    if (this.arg !== 2) throw new RangeError(`the answer ends in argument ${this.arg + 1}`)
    const [arg1, arg2, arg3] = this.chunks.map((parts) => Uint8Array.from(Buffer.concat(parts)))
    return {
      code: this.code,
      headers: this.headers,
      checksumType: type,
      frames: this.frames,
      args: [arg1!, arg2!, arg3!]
    }
  }

  private byte(payload: Uint8Array, at: number): number {
    const value = payload[at]
    if (value === undefined) throw new RangeError("a frame is cut")
    return value
  }

  private head(payload: Uint8Array): number {
    this.code = this.byte(payload, 1)
    const count = this.byte(payload, 27)
    let at = 28
    const literal = () => {
      const length = this.byte(payload, at)
      const text = decoder.decode(payload.subarray(at + 1, at + 1 + length))
      at += 1 + length
      return text
    }
    for (let i = 0; i < count; i++) this.headers.push([literal(), literal()])
    return at
  }

  private readChunks(payload: Uint8Array, start: number): void {
    let at = start
    for (let index = 0; at < payload.length; index++) {
      const length = this.byte(payload, at) * 256 + this.byte(payload, at + 1)
      if (at + 2 + length > payload.length) throw new RangeError("a chunk is longer than its frame")
      if (index > 0 && ++this.arg > 2) throw new RangeError("more than three arguments")
      const chunk = payload.subarray(at + 2, at + 2 + length)
      this.chunks[this.arg]!.push(chunk)
      this.crc = checksumOf(this.type, chunk, this.crc)
      at += 2 + length
    }
  }
}

export interface RawError {
  readonly code: number
  readonly message: string
}

/** Throws a `RangeError` when the payload is none. */
export const readErrorFrame = (payload: Uint8Array): RawError => {
  if (payload.length < 28 || payload[26]! * 256 + payload[27]! !== payload.length - 28) {
    throw new RangeError(`error frame of ${payload.length} bytes whose message has another length`)
  }
  return { code: payload[0]!, message: decoder.decode(payload.subarray(28)) }
}
