/**
 * Init request and response: `version u16 · n u16 · n × (key u16+bytes, value u16+bytes)` (specs: peer streaming 1.3).
 */
import { Limits } from "../contract/Limits.ts"
import { encodeFrame, type FrameType } from "./Frame.ts"
import { catchFault, WireFault } from "./WireFault.ts"

/** The version of TChannel that both sides must name. */
export const protocolVersion = 2

/** The `host_port` of a side that does not listen. */
export const notListening = "0.0.0.0:0"

/** What both sides say first: the protocol's version and key-value pairs such as `host_port` and `process_name`. */
export interface Init {
  readonly version: number
  readonly pairs: ReadonlyArray<readonly [key: string, value: string]>
}

/** The value of a key, undefined when absent. */
export const initValue = (init: Init, key: string): string | undefined =>
  init.pairs.find((pair) => pair[0] === key)?.[1]

/** Encodes an init request or response as one whole frame. */
export const encodeInit = (
  type: typeof FrameType.initRequest | typeof FrameType.initResponse,
  id: number,
  init: Init
): Uint8Array => {
  const literals = init.pairs.flat().map((text) => Buffer.from(text, "utf8"))
  const payload = new Uint8Array(4 + literals.reduce((sum, literal) => sum + 2 + literal.length, 0))
  const view = new DataView(payload.buffer)
  view.setUint16(0, init.version)
  view.setUint16(2, init.pairs.length)
  let position = 4
  for (const literal of literals) {
    view.setUint16(position, literal.length)
    payload.set(literal, position + 2)
    position += 2 + literal.length
  }
  return encodeFrame(type, id, payload)
}

/** Decodes the payload `buffer[start, end)`. Unknown keys are kept; the two required ones must be there. */
export const decodeInit = (buffer: Uint8Array, start = 0, end = buffer.length): Init | WireFault =>
  catchFault(() => {
    if (end - start < 4) throw new WireFault("init payload is shorter than its 4 bytes of version and count", start)
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    const version = view.getUint16(start)
    const count = view.getUint16(start + 2)
    if (count > Limits.maxInitPairs) {
      throw new WireFault(`init has ${count} pairs, at most ${Limits.maxInitPairs}`, start)
    }
    let position = start + 4
    const literal = (): string => {
      if (end - position < 2) throw new WireFault("init pair is cut", position)
      const length = view.getUint16(position)
      position += 2
      if (length > end - position) throw new WireFault(`init literal of ${length} bytes is cut`, position)
      const from = position
      position += length
      return Buffer.from(buffer.buffer, buffer.byteOffset + from, length).toString("utf8")
    }
    const pairs: Array<readonly [string, string]> = []
    for (let i = 0; i < count; i++) pairs.push([literal(), literal()])
    if (position !== end) throw new WireFault(`init has ${end - position} bytes after its pairs`, position)
    const init: Init = { version, pairs }
    for (const key of ["host_port", "process_name"]) {
      if (initValue(init, key) === undefined) throw new WireFault(`init lacks the required key ${key}`, start)
    }
    return init
  })
