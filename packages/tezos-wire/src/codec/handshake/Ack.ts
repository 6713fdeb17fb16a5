/**
 * Ack or Nack: the last chunk of a handshake, each way.
 *
 *     00                                      Ack
 *     ff                                      Nack of p2p version 0
 *     01 | int16 motive | u32 bytes | points  Nack; each point u32 length + `ip:port`
 */
import { Limits } from "../../contract/Limits.ts"
import { Malformed } from "../../contract/Malformed.ts"

/** Known motives of a Nack; others are kept as numbers when they come, and never sent. */
export const NackMotive = {
  none: 0,
  tooManyConnections: 1,
  unknownChainName: 2,
  deprecatedP2pVersion: 3,
  deprecatedDistributedDbVersion: 4,
  alreadyConnected: 5
} as const

const motiveTexts = [
  "no reason given",
  "too many connections",
  "unknown chain name",
  "deprecated p2p version",
  "deprecated distributed db version",
  "already connected"
] as const

/** The motive of a refusal in words. */
export const formatNackMotive = (motive: number | undefined): string =>
  motive === undefined ? "no reason given" : motiveTexts[motive] ?? `unknown motive ${motive}`

/** The last word of a handshake: welcome, or refused with a motive and other points to try. */
export type Ack =
  | { readonly kind: "ack" }
  /** `motive` undefined and no points: the old form without either. Points are texts as they came; check their syntax before dialling. */
  | { readonly kind: "nack"; readonly motive: number | undefined; readonly points: ReadonlyArray<string> }

const listAt = 7
const tag = { ack: 0x00, nack: 0x01, oldNack: 0xff } as const

const wrong = (offset: number, message: string): Malformed => new Malformed({ what: "ack", offset, message })

/** Largest Nack: header and the most points of the most characters. */
export const maxAckBytes = listAt + Limits.maxPoints * (4 + Limits.maxPointBytes)

/** Throws a `RangeError` for more points or longer ones than the limits. Source: specs: p2p 1.6. */
export const encodeAck = (ack: Ack): Uint8Array => {
  if (ack.kind === "ack") return Uint8Array.of(tag.ack)
  if (ack.motive === undefined) return Uint8Array.of(tag.oldNack)
  const { points } = ack
  const { maxPointBytes, maxPoints } = Limits
  if (points.length > maxPoints || points.some((point) => point.length > maxPointBytes)) {
    throw new RangeError(`a Nack carries at most ${maxPoints} points of at most ${maxPointBytes} characters`)
  }
  const listBytes = points.reduce((sum, point) => sum + 4 + point.length, 0)
  const out = new Uint8Array(listAt + listBytes)
  const view = new DataView(out.buffer)
  out[0] = tag.nack
  view.setInt16(1, ack.motive)
  view.setUint32(3, listBytes)
  let at = listAt
  for (const point of points) {
    view.setUint32(at, point.length)
    for (let i = 0; i < point.length; i++) out[at + 4 + i] = point.charCodeAt(i)
    at += 4 + point.length
  }
  return out
}

const decodePoints = (bytes: Uint8Array, view: DataView): ReadonlyArray<string> | Malformed => {
  const points: Array<string> = []
  let at = listAt
  while (at < bytes.length) {
    if (points.length === Limits.maxPoints) {
      return wrong(at, `more than ${Limits.maxPoints} points`)
    }
    if (bytes.length - at < 4) return wrong(at, "ends in the length of a point")
    const length = view.getUint32(at)
    if (length > Limits.maxPointBytes) {
      return wrong(at, `a point of ${length} bytes; the limit is ${Limits.maxPointBytes}`)
    }
    if (length > bytes.length - at - 4) {
      return wrong(at, `a point of ${length} bytes where ${bytes.length - at - 4} are left`)
    }
    points.push(String.fromCharCode(...bytes.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return points
}

/** Reads the plaintext of one whole chunk. */
export const decodeAck = (bytes: Uint8Array): Ack | Malformed => {
  if (bytes.length === 0) return wrong(0, "is empty")
  if (bytes.length > maxAckBytes) return wrong(maxAckBytes, `has ${bytes.length} bytes; the limit is ${maxAckBytes}`)
  if (bytes[0] === tag.ack || bytes[0] === tag.oldNack) {
    if (bytes.length !== 1) return wrong(1, `${bytes.length - 1} bytes after an Ack or Nack that has none`)
    return bytes[0] === tag.ack ? { kind: "ack" } : { kind: "nack", motive: undefined, points: [] }
  }
  if (bytes[0] !== tag.nack) return wrong(0, `tag ${bytes[0]}; 0 is Ack, 1 and 255 are Nack`)
  if (bytes.length < listAt) return wrong(bytes.length, `ends after ${bytes.length} bytes of a Nack's ${listAt}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const listBytes = view.getUint32(3)
  if (listBytes !== bytes.length - listAt) {
    return wrong(3, `${listBytes} bytes of points announced, ${bytes.length - listAt} there`)
  }
  const points = decodePoints(bytes, view)
  return points instanceof Malformed ? points : { kind: "nack", motive: view.getInt16(1), points }
}
