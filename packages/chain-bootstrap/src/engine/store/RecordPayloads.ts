/**
 * What stands in the records (big-endian; `id` is as long as the protocol's ids):
 *
 *   header        id | id of the parent | u32 level | bytes
 *   unit          id of the block | u8 unit | body
 *   segment part  u32 number | ids                     directly before the segment that it begins, for segments of many blocks
 *   segment       u32 first level | u32 parts before | id of the parent | u32 ids here | ids | JSON of evidence and peers
 *   applied       u32 first level | ids
 *   rollback      u32 level | id
 *   begin         u32 number of the file before | u64 where its records end      (first record of a file)
 */
import type { HeaderFacts } from "../../contract/Block.ts"
import type { ChosenSegment } from "../../contract/ChainStore.ts"
import { writeUint32 } from "./RecordCodec.ts"

export const idToBytes = (id: string, idBytes: number): Uint8Array => {
  const bytes = Buffer.from(id, "hex")
  if (bytes.length !== idBytes || id.length !== idBytes * 2) throw new RangeError(`${id} is no id of ${idBytes} bytes`)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

export const idToText = (bytes: Uint8Array, at = 0, idBytes = bytes.length): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + at, idBytes).toString("hex")

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** Ids one behind the other. */
export const packIds = (ids: ReadonlyArray<string>, from: number, to: number, idBytes: number): Uint8Array => {
  const packed = new Uint8Array((to - from) * idBytes)
  for (let i = from; i < to; i++) packed.set(idToBytes(ids[i]!, idBytes), (i - from) * idBytes)
  return packed
}

export const unpackIds = (packed: Uint8Array, idBytes: number): Array<string> =>
  Array.from({ length: packed.length / idBytes }, (_, i) => idToText(packed, i * idBytes, idBytes))

/** The part of a header's payload before its bytes. */
export const headerPrefix = (header: HeaderFacts, id: Uint8Array): Uint8Array => {
  const prefix = new Uint8Array(2 * id.length + 4)
  prefix.set(id)
  prefix.set(idToBytes(header.parent, id.length), id.length)
  writeUint32(prefix, 2 * id.length, header.level)
  return prefix
}

export interface HeaderPayload {
  readonly id: Uint8Array
  readonly level: number
  readonly bytes: Uint8Array
}

/** Views; undefined when the payload is too short to be one. */
export const readHeaderPayload = (payload: Uint8Array, idBytes: number): HeaderPayload | undefined => {
  const at = 2 * idBytes
  if (payload.length < at + 4) return undefined
  return { id: payload.subarray(0, idBytes), level: viewOf(payload).getUint32(at), bytes: payload.subarray(at + 4) }
}

export const unitPrefix = (id: Uint8Array, unit: number): Uint8Array => {
  const prefix = new Uint8Array(id.length + 1)
  prefix.set(id)
  prefix[id.length] = unit
  return prefix
}

export const readUnitPayload = (
  payload: Uint8Array,
  idBytes: number
): { readonly block: Uint8Array; readonly unit: number; readonly body: Uint8Array } | undefined =>
  payload.length < idBytes + 1 ? undefined : {
    block: payload.subarray(0, idBytes),
    unit: payload[idBytes]!,
    body: payload.subarray(idBytes + 1)
  }

/** `u32 | ids`: a part of a segment, an applied step, and (with one id) a rollback. */
export const numberedIds = (number: number, ids: Uint8Array): Uint8Array => {
  const payload = new Uint8Array(4 + ids.length)
  writeUint32(payload, 0, number)
  payload.set(ids, 4)
  return payload
}

export const readNumberedIds = (
  payload: Uint8Array,
  idBytes: number
): { readonly number: number; readonly ids: Uint8Array } | undefined =>
  payload.length < 4 || (payload.length - 4) % idBytes !== 0
    ? undefined
    : { number: viewOf(payload).getUint32(0), ids: payload.subarray(4) }

const segmentJson = (segment: ChosenSegment): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ evidence: segment.evidence, peers: segment.peers }))

/** Length of a segment's evidence as it is stored. */
export const evidenceLength = (segment: ChosenSegment): number => segmentJson(segment).length

/** `ids`: those that stand in no part. */
export const segmentPayload = (segment: ChosenSegment, parts: number, ids: Uint8Array, idBytes: number): Uint8Array => {
  const json = segmentJson(segment)
  const payload = new Uint8Array(12 + idBytes + ids.length + json.length)
  writeUint32(payload, 0, segment.firstLevel)
  writeUint32(payload, 4, parts)
  payload.set(idToBytes(segment.evidence.baseId, idBytes), 8)
  writeUint32(payload, 8 + idBytes, ids.length / idBytes)
  payload.set(ids, 12 + idBytes)
  payload.set(json, 12 + idBytes + ids.length)
  return payload
}

export interface SegmentPayload {
  readonly firstLevel: number
  readonly parts: number
  readonly parent: Uint8Array
  readonly ids: Uint8Array
  readonly json: Uint8Array
}

export const readSegmentPayload = (payload: Uint8Array, idBytes: number): SegmentPayload | undefined => {
  if (payload.length < 12 + idBytes) return undefined
  const view = viewOf(payload)
  const idsEnd = 12 + idBytes + view.getUint32(8 + idBytes) * idBytes
  if (idsEnd > payload.length) return undefined
  return {
    firstLevel: view.getUint32(0),
    parts: view.getUint32(4),
    parent: payload.subarray(8, 8 + idBytes),
    ids: payload.subarray(12 + idBytes, idsEnd),
    json: payload.subarray(idsEnd)
  }
}

export const beginPayload = (previousFile: number, previousEnd: number): Uint8Array => {
  const payload = new Uint8Array(12)
  const view = viewOf(payload)
  view.setUint32(0, previousFile)
  view.setUint32(4, Math.floor(previousEnd / 2 ** 32))
  view.setUint32(8, previousEnd >>> 0)
  return payload
}

export const readBeginPayload = (
  payload: Uint8Array
): { readonly previousFile: number; readonly previousEnd: number } | undefined => {
  if (payload.length !== 12) return undefined
  const view = viewOf(payload)
  return { previousFile: view.getUint32(0), previousEnd: view.getUint32(4) * 2 ** 32 + view.getUint32(8) }
}
