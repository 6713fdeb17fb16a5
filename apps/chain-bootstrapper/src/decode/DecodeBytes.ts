/** Bytes to JSON under the kind that was named, or under the first kind that takes them. */
import {
  decodeToJson,
  type DescribedKind,
  DescribedKinds,
  type Digests,
  type Json,
  Malformed
} from "@peerstrap/tezos-wire"

export interface Decoded {
  readonly kind: DescribedKind
  readonly value: Json
}

export interface Undecodable {
  readonly kind: DescribedKind
  /** Counts from the first byte of the input. */
  readonly offset: number
  readonly message: string
}

const decodeAs = (kind: DescribedKind, bytes: Uint8Array, digests: Digests): Decoded | Undecodable => {
  const value = decodeToJson(kind, bytes, digests)
  return value instanceof Malformed
    ? { kind, offset: value.offset, message: `${value.what}: ${value.message}` }
    : { kind, value }
}

/** `auto`: frame, message, header, operations in this order; if nothing fits, the fault of the kind that came furthest. */
export const decodeBytes = (
  kind: DescribedKind | "auto",
  bytes: Uint8Array,
  digests: Digests
): Decoded | Undecodable => {
  if (kind !== "auto") return decodeAs(kind, bytes, digests)
  let furthest: Undecodable | undefined
  for (const each of DescribedKinds) {
    const decoded = decodeAs(each, bytes, digests)
    if ("value" in decoded) return decoded
    if (furthest === undefined || decoded.offset > furthest.offset) furthest = decoded
  }
  return furthest!
}
