/**
 * A call's three arguments ↔ its fragments (specs: peer streaming 1.6, 1.7).
 *
 *     first frame:  head · checksum type u8 · checksum 0|4 · chunk…      chunk = length u16 · bytes
 *     continuation: flags u8 · checksum type u8 · checksum 0|4 · chunk…
 *
 * The first chunk of a frame goes on with the argument that was open, each further one begins the next argument. A
 * fragment without any chunk crashes a Go peer, so the writer never makes one and the reader refuses it.
 */
import { Limits } from "../contract/Limits.ts"
import { type CallHead, decodeCallHead, encodeCallHead, moreFragmentsFlag } from "./CallHead.ts"
import { ChecksumType, isChecksumType, updateChecksum } from "./Checksum.ts"
import { frameHeaderBytes, FrameType, writeFrameHeader } from "./Frame.ts"
import { WireFault } from "./WireFault.ts"

/** Uninitialised memory of its own, as a Uint8Array: a Buffer's `slice` would surprise callers. */
const allocate = (bytes: number): Uint8Array => new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)

/** One argument that grows with what has really arrived, never with what is claimed. */
class ArgumentBuffer {
  private readonly maxBytes: number
  private readonly firstCapacity: number
  private bytes: Uint8Array
  private readonly isGiven: boolean
  length = 0

  constructor(maxBytes: number, firstCapacity: number, given?: Uint8Array) {
    this.maxBytes = maxBytes
    this.firstCapacity = Math.min(firstCapacity, maxBytes)
    this.bytes = given ?? new Uint8Array(0)
    this.isGiven = given !== undefined
  }

  /** False when it would grow above the maximum. */
  append(chunk: Uint8Array, last: boolean): boolean {
    const wanted = this.length + chunk.length
    if (wanted > this.maxBytes) return false
    if (wanted > this.bytes.length) {
      const capacity = last && this.length === 0
        ? wanted
        : Math.min(this.maxBytes, Math.max(wanted, this.bytes.length * 2, this.firstCapacity))
      const grown = allocate(capacity)
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    this.bytes.set(chunk, this.length)
    this.length = wanted
    return true
  }

  /** What has arrived; copied once more only when most of a buffer of our own would be slack. */
  take(): Uint8Array {
    return !this.isGiven && this.length * 2 < this.bytes.length
      ? this.bytes.slice(0, this.length)
      : this.bytes.subarray(0, this.length)
  }
}

/** Bounds of a message that is put together from its frames, and where its bytes go. */
export interface MessageReaderOptions {
  /** Largest arg3. */
  readonly maxBytes: number
  /** First capacity of an arg3 of several frames, from our own experience with earlier answers. Default 256 KiB. */
  readonly capacityHint?: number
  /** Where an arg3 is gathered: at least `maxBytes` bytes of the caller's. */
  readonly into?: Uint8Array | undefined
}

/** `more`: fragments are outstanding · `done`: the message is whole. */
export type MessageProgress = "more" | "done"

/** Collects one message. Make one per message id; after a fault or `done` it takes no further frame. */
export class MessageReader {
  private readonly kind: CallHead["kind"]
  private readonly argumentBuffers: readonly [ArgumentBuffer, ArgumentBuffer, ArgumentBuffer]
  private argument = 0
  private checksum = 0
  private type: ChecksumType | undefined
  private decodedHead: CallHead | undefined
  private finished = false

  constructor(kind: CallHead["kind"], options: MessageReaderOptions) {
    this.kind = kind
    this.argumentBuffers = [
      new ArgumentBuffer(Limits.maxMethodBytes, 64),
      new ArgumentBuffer(Limits.maxHeaderArgumentBytes, 64),
      new ArgumentBuffer(options.maxBytes, options.capacityHint ?? 256 * 1024, options.into)
    ]
  }

  /** Undefined until the first frame has been read. */
  get head(): CallHead | undefined {
    return this.decodedHead
  }

  get checksumType(): ChecksumType | undefined {
    return this.type
  }

  get arg1(): Uint8Array {
    return this.argumentBuffers[0].take()
  }

  get arg2(): Uint8Array {
    return this.argumentBuffers[1].take()
  }

  get arg3(): Uint8Array {
    return this.argumentBuffers[2].take()
  }

  /** Takes the payload `buffer[start, end)` of the next frame of this message. */
  push(frameType: number, buffer: Uint8Array, start: number, end: number): MessageProgress | WireFault {
    const progress = this.finished
      ? new WireFault("a frame came after the message's last fragment", start)
      : this.readFrame(frameType, buffer, start, end)
    this.finished = progress !== "more"
    return progress
  }

  private readFrame(frameType: number, buffer: Uint8Array, start: number, end: number): MessageProgress | WireFault {
    const begun = this.decodedHead !== undefined
    const expected = this.kind === "request"
      ? (begun ? FrameType.callRequestContinue : FrameType.callRequest)
      : (begun ? FrameType.callResponseContinue : FrameType.callResponse)
    if (frameType !== expected) {
      return new WireFault(`frame type ${frameType.toString(16)} where ${expected.toString(16)} was expected`, start)
    }
    let position = start + 1
    if (!begun) {
      const decoded = decodeCallHead(this.kind, buffer, start, end)
      if (decoded instanceof WireFault) return decoded
      this.decodedHead = decoded.head
      position = decoded.end
    }
    if (position >= end) return new WireFault("fragment is cut before its checksum", position)
    const type = buffer[position++]!
    if (!isChecksumType(type)) return new WireFault(`checksum type ${type} is not supported`, position - 1)
    if (this.type !== undefined && this.type !== type) {
      return new WireFault(`checksum type changed from ${this.type} to ${type} inside a message`, position - 1)
    }
    this.type = type
    return this.readChunks(buffer, position, end, (buffer[start]! & moreFragmentsFlag) !== 0)
  }

  private readChunks(buffer: Uint8Array, start: number, end: number, more: boolean): MessageProgress | WireFault {
    const type = this.type!
    let position = start + (type === ChecksumType.none ? 0 : 4)
    if (position >= end) return new WireFault("fragment without a chunk", start)
    for (let index = 0; position < end; index++) {
      if (end - position < 2) return new WireFault("chunk length is cut", position)
      const length = (buffer[position]! << 8) | buffer[position + 1]!
      position += 2
      if (length > end - position) return new WireFault(`chunk of ${length} bytes is cut`, position - 2)
      if (index > 0 && ++this.argument > 2) return new WireFault("more than three arguments", position - 2)
      const chunk = buffer.subarray(position, position + length)
      if (!this.argumentBuffers[this.argument]!.append(chunk, !more)) {
        const kind = this.argument === 2 ? "too-large" : "malformed"
        return new WireFault(`argument ${this.argument + 1} is above its limit`, position - 2, kind)
      }
      if (length > 0) this.checksum = updateChecksum(type, this.checksum, chunk)
      position += length
    }
    if (type !== ChecksumType.none) {
      const claimed = new DataView(buffer.buffer, buffer.byteOffset + start, 4).getUint32(0)
      if (claimed !== this.checksum) return new WireFault("checksum does not match the arguments", start)
    }
    if (more) return "more"
    return this.argument === 2 ? "done" : new WireFault(`message ends in argument ${this.argument + 1} of 3`, end)
  }
}

/** A whole message: its head and its three arguments, checksum already verified. */
export interface Message {
  readonly id: number
  readonly head: CallHead
  readonly checksumType: ChecksumType
  readonly arg1: Uint8Array
  readonly arg2: Uint8Array
  readonly arg3: Uint8Array
}

/** A message as it goes to a socket: the pieces one behind the other are its frames. */
export interface EncodedMessage {
  readonly pieces: Array<Uint8Array>
  readonly frames: number
}

/** Below this many bytes of arg3 copying them is cheaper than further pieces. */
const leastSharedBytes = 4_096

class FragmentWriter {
  readonly pieces: Array<Uint8Array> = []
  frames = 0
  /** Whether chunks of arg3 are views of it instead of copies. */
  private readonly sharesArg3: boolean
  /** Such a chunk: it ends the frame in hand. */
  private shared: Uint8Array | undefined
  private readonly message: Message
  private readonly maxFrameBytes: number
  /** Bytes that are still to be copied. */
  private remainingBytes: number
  private frame = new Uint8Array(0)
  private position = 0
  private checksumAt = 0
  private checksum = 0
  private chunks = 0

  constructor(message: Message, maxFrameBytes: number, sharesArg3: boolean) {
    this.message = message
    this.sharesArg3 = sharesArg3
    this.maxFrameBytes = maxFrameBytes
    this.remainingBytes = message.arg1.length + message.arg2.length + (sharesArg3 ? 0 : message.arg3.length)
    this.open(encodeCallHead(message.head))
  }

  private get room(): number {
    return this.maxFrameBytes - this.position - (this.shared?.length ?? 0)
  }

  private open(head: Uint8Array): void {
    const { checksumType } = this.message
    const fixed = frameHeaderBytes + head.length + 1 + (checksumType === ChecksumType.none ? 0 : 4)
    if (fixed + 3 > this.maxFrameBytes) throw new RangeError(`a frame of ${this.maxFrameBytes} bytes holds no chunk`)
    this.frame = new Uint8Array(Math.min(this.maxFrameBytes, fixed + this.remainingBytes + 8))
    this.frame.set(head, frameHeaderBytes)
    this.frame[frameHeaderBytes + head.length] = checksumType
    this.checksumAt = frameHeaderBytes + head.length + 1
    this.position = fixed
    this.chunks = 0
  }

  private close(more: boolean): void {
    if (this.chunks === 0) throw new Error("a fragment without a chunk would crash the peer")
    const { checksumType, head, id } = this.message
    const first = this.frames === 0
    const { shared } = this
    const bytes = this.position + (shared?.length ?? 0)
    const type = head.kind === "request"
      ? (first ? FrameType.callRequest : FrameType.callRequestContinue)
      : (first ? FrameType.callResponse : FrameType.callResponseContinue)
    writeFrameHeader(this.frame, 0, bytes, type, id)
    this.frame[frameHeaderBytes] = more ? moreFragmentsFlag : 0
    if (checksumType !== ChecksumType.none) new DataView(this.frame.buffer).setUint32(this.checksumAt, this.checksum)
    this.pieces.push(this.frame.subarray(0, this.position))
    if (shared !== undefined) this.pieces.push(shared)
    this.shared = undefined
    this.frames++
  }

  private chunk(bytes: Uint8Array, isShared: boolean): void {
    this.frame[this.position] = bytes.length >>> 8
    this.frame[this.position + 1] = bytes.length & 0xff
    this.position += 2
    if (isShared) this.shared = bytes
    else {
      this.frame.set(bytes, this.position)
      this.position += bytes.length
      this.remainingBytes -= bytes.length
    }
    this.chunks++
    if (bytes.length > 0) this.checksum = updateChecksum(this.message.checksumType, this.checksum, bytes)
  }

  private next(): void {
    this.close(true)
    this.open(new Uint8Array(1))
  }

  private argument(bytes: Uint8Array, isShared: boolean): void {
    if (this.room <= 2) {
      this.next()
      this.chunk(new Uint8Array(0), false)
      if (this.room <= 2) throw new RangeError(`a frame of ${this.maxFrameBytes} bytes holds no second chunk`)
    }
    let position = 0
    for (;;) {
      const count = Math.min(this.room - 2, bytes.length - position)
      this.chunk(bytes.subarray(position, position + count), isShared)
      position += count
      if (position === bytes.length) return
      this.next()
    }
  }

  /** Once. */
  write(): EncodedMessage {
    const { arg1, arg2, arg3 } = this.message
    this.argument(arg1, false)
    this.argument(arg2, false)
    this.argument(arg3, this.sharesArg3)
    this.close(false)
    return { pieces: this.pieces, frames: this.frames }
  }
}

const encode = (message: Message, maxFrameBytes: number, sharesArg3: boolean): EncodedMessage => {
  if (message.arg1.length > Limits.maxMethodBytes) throw new RangeError(`arg1 has ${message.arg1.length} bytes`)
  return new FragmentWriter(message, Math.min(maxFrameBytes, Limits.maxFrameBytes), sharesArg3).write()
}

/**
 * The frames of a message, each an array of its own, filled as the Go library fills them. `maxFrameBytes` makes smaller
 * ones. Throws on what must never be sent (a TTL of 0, an arg1 above its limit).
 */
export const encodeMessage = (
  message: Message,
  maxFrameBytes: number = Limits.maxFrameBytes
): Array<Uint8Array> => encode(message, maxFrameBytes, false).pieces

/** The same frames in pieces, for a socket that writes many at once: a long arg3 is not copied, and must not change any more. */
export const encodeMessagePieces = (message: Message, maxFrameBytes: number = Limits.maxFrameBytes): EncodedMessage =>
  encode(message, maxFrameBytes, message.arg3.length >= leastSharedBytes)
