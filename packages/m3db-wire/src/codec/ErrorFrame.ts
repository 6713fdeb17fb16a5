/** Error frames: `code u8 · tracing 25 · message u16+UTF-8`, no checksum, no fragments (specs: peer streaming 1.8). */
import { Limits } from "../contract/Limits.ts"
import { encodeFrame, FrameType } from "./Frame.ts"
import { WireFault } from "./WireFault.ts"

/** TChannel's error codes by name, one byte each (specs: peer streaming 1.8). */
export const ErrorCode = {
  timeout: 0x01,
  cancelled: 0x02,
  busy: 0x03,
  declined: 0x04,
  unexpected: 0x05,
  badRequest: 0x06,
  network: 0x07,
  fatal: 0xff
} as const

/** What an error frame says. */
export interface ErrorPayload {
  readonly code: number
  /** At most `Limits.maxMessageBytes` of what was sent. */
  readonly message: string
}

const fixedBytes = 28

/** Encodes an error frame of one call; the text is cut at `Limits.maxMessageBytes`. */
export const encodeErrorFrame = (id: number, code: number, message: string): Uint8Array => {
  const text = Buffer.from(message, "utf8").subarray(0, Limits.maxMessageBytes)
  const payload = new Uint8Array(fixedBytes + text.length)
  payload[0] = code
  payload[26] = text.length >>> 8
  payload[27] = text.length & 0xff
  payload.set(text, fixedBytes)
  return encodeFrame(FrameType.error, id, payload)
}

/** Decodes the payload `buffer[start, end)`. */
export const decodeError = (buffer: Uint8Array, start = 0, end = buffer.length): ErrorPayload | WireFault => {
  if (end - start < fixedBytes) {
    return new WireFault(`error payload of ${end - start} bytes, at least ${fixedBytes}`, start)
  }
  const length = (buffer[start + 26]! << 8) | buffer[start + 27]!
  if (length > end - start - fixedBytes) return new WireFault(`error message of ${length} bytes is cut`, start + 26)
  return { code: buffer[start]!, message: decodeText(buffer, start + fixedBytes, length) }
}

/** A peer's text for an error of ours: at most `Limits.maxMessageBytes` bytes, bad UTF-8 replaced. */
export const decodeText = (buffer: Uint8Array, offset: number, length: number): string =>
  Buffer.from(buffer.buffer, buffer.byteOffset + offset, Math.min(length, Limits.maxMessageBytes)).toString("utf8")
