/**
 * TChannel v2 frames (specs: peer streaming 1.2).
 *
 *     size u16 · type u8 · reserved u8 · id u32 · reserved u64 · payload (size − 16 bytes)     all big-endian
 *
 * The splitter takes chunks as a socket gives them. A frame that lies wholly inside a chunk is handed on in place; one
 * that is split is gathered in a single 64 KiB buffer that is used again and again.
 */
import { Limits } from "../contract/Limits.ts"
import { WireFault } from "./WireFault.ts"

/** TChannel's frame types by name, one byte each (specs: peer streaming 1.2). */
export const FrameType = {
  initRequest: 0x01,
  initResponse: 0x02,
  callRequest: 0x03,
  callResponse: 0x04,
  callRequestContinue: 0x13,
  callResponseContinue: 0x14,
  cancel: 0xc0,
  claim: 0xc1,
  pingRequest: 0xd0,
  pingResponse: 0xd1,
  error: 0xff
} as const

/** Bytes of a frame before its payload. */
export const frameHeaderBytes = 16

/** The id of an error frame that concerns the whole connection. */
export const connectionErrorId = 0xffff_ffff

/**
 * Receives one frame; the payload is `buffer[start, end)` and valid only during the call. Returning a fault stops the
 * splitter for good.
 */
export type FrameConsumer = (
  type: number,
  id: number,
  buffer: Uint8Array,
  start: number,
  end: number
) => WireFault | undefined | void

/** Looks at size and type as soon as three bytes of a frame are there, before its payload is waited for. */
export type HeadCheck = (size: number, type: number) => WireFault | undefined

const readId = (buffer: Uint8Array, position: number): number =>
  ((buffer[position + 4]! << 24) | (buffer[position + 5]! << 16) | (buffer[position + 6]! << 8) |
    buffer[position + 7]!) >>> 0

/**
 * Cuts a stream of chunks into frames, each handed on once and whole; a size out of bounds or a refused head ends it
 * with a `WireFault`.
 */
export class FrameSplitter {
  private readonly consume: FrameConsumer
  private readonly checkHead: HeadCheck | undefined
  /** Made when the first frame comes in pieces. */
  private held = new Uint8Array(0)
  private heldBytes = 0
  private headChecked = false
  private fault: WireFault | undefined = undefined
  /** Bytes of the stream before the chunk in hand, for offsets in faults. */
  private streamOffset = 0
  frames = 0

  constructor(consume: FrameConsumer, checkHead?: HeadCheck) {
    this.consume = consume
    this.checkHead = checkHead
  }

  /** Bytes of an unfinished frame. */
  get pendingBytes(): number {
    return this.heldBytes
  }

  /** Id of an unfinished frame; undefined as long as its header's first 8 bytes are not there. */
  get pendingId(): number | undefined {
    return this.heldBytes < 8 ? undefined : readId(this.held, 0)
  }

  /** Takes the next chunk. Once it has returned a fault it takes nothing more and returns that fault. */
  push(chunk: Uint8Array): WireFault | undefined {
    if (this.fault !== undefined) return this.fault
    let position = 0
    while (position < chunk.length && this.fault === undefined) {
      position = this.heldBytes > 0 ? this.continueHeld(chunk, position) : this.takeInPlace(chunk, position)
    }
    this.streamOffset += chunk.length
    return this.fault
  }

  private takeInPlace(chunk: Uint8Array, position: number): number {
    const available = chunk.length - position
    if (available >= 3) {
      const size = (chunk[position]! << 8) | chunk[position + 1]!
      if (!this.acceptHead(size, chunk[position + 2]!, this.streamOffset + position)) return chunk.length
      if (available >= size) {
        this.emit(chunk, position, size)
        return position + size
      }
    }
    if (this.held.length === 0) this.held = new Uint8Array(Limits.maxFrameBytes)
    this.held.set(position === 0 ? chunk : chunk.subarray(position), 0)
    this.heldBytes = available
    return chunk.length
  }

  private continueHeld(chunk: Uint8Array, position: number): number {
    if (this.heldBytes < 3) {
      const wanted = Math.min(3 - this.heldBytes, chunk.length - position)
      position = this.hold(chunk, position, wanted)
      if (this.heldBytes < 3) return position
    }
    const size = (this.held[0]! << 8) | this.held[1]!
    if (!this.acceptHead(size, this.held[2]!, this.streamOffset + position - this.heldBytes)) return chunk.length
    position = this.hold(chunk, position, Math.min(size - this.heldBytes, chunk.length - position))
    if (this.heldBytes === size) {
      this.heldBytes = 0
      this.emit(this.held, 0, size)
    }
    return position
  }

  private hold(chunk: Uint8Array, position: number, count: number): number {
    this.held.set(chunk.subarray(position, position + count), this.heldBytes)
    this.heldBytes += count
    return position + count
  }

  private acceptHead(size: number, type: number, offset: number): boolean {
    if (this.headChecked) return true
    this.fault = this.checkHead?.(size, type) ?? (size < frameHeaderBytes
      ? new WireFault(`frame size ${size} is below the header's ${frameHeaderBytes} bytes`, offset)
      : undefined)
    this.headChecked = this.fault === undefined
    return this.headChecked
  }

  private emit(buffer: Uint8Array, position: number, size: number): void {
    this.headChecked = false
    this.frames++
    const id = readId(buffer, position)
    const fault = this.consume(buffer[position + 2]!, id, buffer, position + frameHeaderBytes, position + size)
    if (fault !== undefined) this.fault = fault as WireFault
  }
}

/** Writes the 16-byte header of a frame of `size` bytes at `position`. */
export const writeFrameHeader = (
  buffer: Uint8Array,
  position: number,
  size: number,
  type: number,
  id: number
): void => {
  if (size < frameHeaderBytes || size > Limits.maxFrameBytes) throw new RangeError(`frame of ${size} bytes`)
  buffer[position] = size >>> 8
  buffer[position + 1] = size & 0xff
  buffer[position + 2] = type
  buffer[position + 3] = 0
  buffer[position + 4] = id >>> 24
  buffer[position + 5] = (id >>> 16) & 0xff
  buffer[position + 6] = (id >>> 8) & 0xff
  buffer[position + 7] = id & 0xff
  buffer.fill(0, position + 8, position + frameHeaderBytes)
}

/** One frame of its own: header and payload. */
export const encodeFrame = (type: number, id: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const frame = new Uint8Array(frameHeaderBytes + payload.length)
  writeFrameHeader(frame, 0, frame.length, type, id)
  frame.set(payload, frameHeaderBytes)
  return frame
}
