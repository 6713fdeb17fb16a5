/**
 * Text of hashes and ids: base58 of prefix ‖ bytes ‖ first four bytes of sha256(sha256(prefix ‖ bytes)), Bitcoin's alphabet
 * (specs: chain bootstrap 2.1). The prefix makes the text begin with the letters that people know: B, o, Lo, LLo, P, Co, Net, id.
 */
import { createBase58check } from "@scure/base"
import { hash } from "node:crypto"
import { type HashKind, HashKinds } from "../contract/Hashes.ts"
import { Malformed } from "../contract/Malformed.ts"

const base58check = createBase58check((bytes: Uint8Array) => hash("sha256", bytes, "buffer"))

/** Longest text that is looked at: decoding costs the square of it, and no kind has more than 53 characters. */
const maxTextLength = 64

const prefixes = new Map(
  Object.entries(HashKinds).map(([kind, { prefix }]) => [kind as HashKind, new Uint8Array(Buffer.from(prefix, "hex"))])
)

/** Text of a payload without any prefix of a kind. */
export const encodeBase58Check = (payload: Uint8Array): string => base58check.encode(payload)

const textFault = (message: string, offset = 0) => new Malformed({ what: "base58check text", offset, message })

/** Payload of a text: a fresh array of at most 43 bytes. */
export const decodeBase58Check = (text: string): Uint8Array | Malformed => {
  if (text.length > maxTextLength) {
    return textFault(`${text.length} characters, at most ${maxTextLength}`, maxTextLength)
  }
  const strange = text.search(/[^1-9A-HJ-NP-Za-km-z]/)
  if (strange >= 0) return textFault(`${JSON.stringify(text[strange])} is not a base58 character`, strange)
  try {
    return base58check.decode(text)
  } catch {
    return textFault("the checksum does not fit: a character is wrong or missing")
  }
}

/** Text of a hash; throws a RangeError when `bytes` has not the length of the kind. */
export const encodeHash = (kind: HashKind, bytes: Uint8Array): string => {
  const expected = HashKinds[kind].bytes
  if (bytes.length !== expected) throw new RangeError(`a ${kind} hash has ${expected} bytes, not ${bytes.length}`)
  const prefix = prefixes.get(kind)!
  const payload = new Uint8Array(prefix.length + expected)
  payload.set(prefix)
  payload.set(bytes, prefix.length)
  return base58check.encode(payload)
}

/** Bytes of a hash of a known kind: a fresh array. Checksum, kind and length must fit; error offsets count characters. */
export const decodeHash = (kind: HashKind, text: string): Uint8Array | Malformed => {
  const payload = decodeBase58Check(text)
  if (payload instanceof Malformed) {
    return new Malformed({ what: `${kind} hash`, offset: payload.offset, message: payload.message })
  }
  const prefix = prefixes.get(kind)!
  const fail = (message: string) => new Malformed({ what: `${kind} hash`, offset: 0, message })
  if (prefix.some((byte, index) => payload[index] !== byte)) return fail(`${text} is the text of something else`)
  const { bytes } = HashKinds[kind]
  if (payload.length !== prefix.length + bytes) {
    return fail(`${payload.length - prefix.length} bytes, expected ${bytes}`)
  }
  return payload.slice(prefix.length)
}
