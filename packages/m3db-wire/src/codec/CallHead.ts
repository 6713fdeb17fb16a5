/**
 * What precedes the checksum in the first frame of a call.
 *
 *     request:  flags u8 · ttl u32 ms · tracing 25 · service u8+bytes · nh u8 · nh × (key u8+bytes, value u8+bytes)
 *     response: flags u8 · code u8 · tracing 25 · nh u8 · nh × (key u8+bytes, value u8+bytes)
 *
 * Source: specs peer streaming 1.4, 1.5.
 */
import { catchFault, WireFault } from "./WireFault.ts"

/** Bit of `flags`: another frame of the same message follows. */
export const moreFragmentsFlag = 0x01
const tracingBytes = 25

/** TChannel's transport headers in order, such as `as` (argument scheme) and `cn` (caller's name). */
export type TransportHeaders = ReadonlyArray<readonly [key: string, value: string]>

/** The head of a request's first frame. */
export interface CallRequestHead {
  readonly kind: "request"
  /** Remaining deadline; 0 gets no answer at all from a Go server. */
  readonly ttlMillis: number
  readonly service: string
  readonly headers: TransportHeaders
}

/** The head of a response's first frame. */
export interface CallResponseHead {
  readonly kind: "response"
  /** 0 OK, 1 application error: the result struct carries an exception. */
  readonly code: number
  readonly headers: TransportHeaders
}

/** The head of a call's first frame, told apart by `kind`. */
export type CallHead = CallRequestHead | CallResponseHead

/** What M3DB's client sends, in the order of the spec's vector. */
export const clientHeaders: TransportHeaders = [["cn", "Client"], ["as", "thrift"]]
/** The headers of each response: the argument scheme is Thrift. */
export const serverHeaders: TransportHeaders = [["as", "thrift"]]

const shortLiteral = (text: string): Uint8Array => {
  const bytes = Buffer.from(text, "latin1")
  if (bytes.length > 255) throw new RangeError(`"${text.slice(0, 40)}…" has ${bytes.length} bytes, at most 255 fit`)
  return bytes
}

/** The bytes from flags to the last header. The flags are 0; the writer of the message sets them. */
export const encodeCallHead = (head: CallHead): Uint8Array => {
  if (
    head.kind === "request" && !(Number.isInteger(head.ttlMillis) && head.ttlMillis > 0 && head.ttlMillis < 2 ** 32)
  ) {
    throw new RangeError(`TTL must be 1…2^32−1 ms, got ${head.ttlMillis}: a server never answers a TTL of 0`)
  }
  if (head.headers.length > 255) throw new RangeError(`${head.headers.length} transport headers, at most 255`)
  const literals = head.headers.flat().map(shortLiteral)
  const service = head.kind === "request" ? shortLiteral(head.service) : undefined
  const size = 1 + (service === undefined ? 1 : 5 + service.length) + tracingBytes + 1 +
    literals.reduce((sum, literal) => sum + 1 + literal.length, 0)
  const out = new Uint8Array(size)
  let position = 1 + tracingBytes
  if (head.kind === "request") {
    new DataView(out.buffer).setUint32(1, head.ttlMillis)
    position += 4
    out[position++] = service!.length
    out.set(service!, position)
    position += service!.length
  } else {
    out[1] = head.code
    position += 1
  }
  out[position++] = head.headers.length
  for (const literal of literals) {
    out[position++] = literal.length
    out.set(literal, position)
    position += literal.length
  }
  return out
}

/** A decoded head and where it ended, which is where the checksum type stands. */
export interface DecodedHead {
  readonly head: CallHead
  readonly end: number
}

/** Decodes the head at `start` of the payload `buffer[start, end)`. */
export const decodeCallHead = (
  kind: CallHead["kind"],
  buffer: Uint8Array,
  start: number,
  end: number
): DecodedHead | WireFault =>
  catchFault(() => {
    const cut = (at: number) => new WireFault(`call ${kind} is cut in its head`, at)
    let position = start + (kind === "request" ? 5 : 2) + tracingBytes
    const length = (): number => {
      if (position >= end) throw cut(position)
      return buffer[position++]!
    }
    const literal = (): string => {
      const bytes = length()
      if (bytes > end - position) throw cut(position)
      const from = buffer.byteOffset + position
      position += bytes
      return Buffer.from(buffer.buffer, from, bytes).toString("latin1")
    }
    const service = kind === "request" ? literal() : ""
    const count = length()
    const headers: Array<readonly [string, string]> = []
    for (let i = 0; i < count; i++) headers.push([literal(), literal()])
    const head: CallHead = kind === "response"
      ? { kind, code: buffer[start + 1]!, headers }
      : {
        kind,
        ttlMillis: new DataView(buffer.buffer, buffer.byteOffset + start + 1, 4).getUint32(0),
        service,
        headers
      }
    return { head, end: position }
  })
