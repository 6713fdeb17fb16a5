/**
 * A change of a store as a record of its journal: byte 0 says what it is. 1, a value: bytes 1–2 the key's length (little-endian), the key, the
 * value. 2, no value any more: the key.
 */
import type { KeyValueChange } from "../contract/KeyValue.ts"
import { Limits } from "../contract/Limits.ts"

const put = 1
const remove = 2

export const encodeChange = ({ key, value }: KeyValueChange): Uint8Array => {
  const head = value === undefined ? 1 : 3
  const out = new Uint8Array(head + key.length + (value?.length ?? 0))
  out[0] = value === undefined ? remove : put
  out.set(key, head)
  if (value === undefined) return out
  out[1] = key.length & 255
  out[2] = key.length >>> 8
  out.set(value, head + key.length)
  return out
}

/** Views of the record, or what is wrong with it. */
export const decodeChange = (record: Uint8Array): KeyValueChange | string => {
  const kind = record[0]
  if (kind !== put && kind !== remove) {
    return kind === undefined ? "an empty record" : `a record of kind ${kind}, expected 1 or 2`
  }
  const head = kind === put ? 3 : 1
  if (record.length < head) return `a record of ${record.length} bytes, expected 3 or more`
  const keyBytes = kind === put ? record[1]! | (record[2]! << 8) : record.length - head
  if (keyBytes === 0 || keyBytes > Limits.keyBytes) return `a key of ${keyBytes} bytes, it has 1 to ${Limits.keyBytes}`
  if (head + keyBytes > record.length) return `a key of ${keyBytes} bytes in a record of ${record.length}`
  const key = record.subarray(head, head + keyBytes)
  return { key, value: kind === put ? record.subarray(head + keyBytes) : undefined }
}
