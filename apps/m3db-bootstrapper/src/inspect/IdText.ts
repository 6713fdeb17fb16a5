/** Ids, tags and checksums as readers of JSON and CSV get them, and the order of ids. In messages there is `showId` of m3db-wire. */
import { decodeTags, WireFault } from "@peerstrap/m3db-wire"

export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")

/** 8 hex digits. */
export const hex32 = (checksum: number): string => checksum.toString(16).padStart(8, "0")

/** Order of bytes, shorter first. */
export const compareIds = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The text when the bytes are UTF-8. */
export const utf8Text = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Bytes as a text that `idOfText` takes back: themselves when they are UTF-8 without control characters, else `0x` and hex. A text
 * that begins with `0x` itself is given in hex, too.
 */
export const idText = (bytes: Uint8Array): string => {
  const text = utf8Text(bytes)
  return text === undefined || text === "" || text.startsWith("0x") || /\p{Cc}/u.test(text) ? `0x${toHex(bytes)}` : text
}

/** `0x` with an even number of hex digits is bytes, everything else is text. Undefined for `0x` with anything else. */
export const idOfText = (text: string): Uint8Array | undefined =>
  !text.startsWith("0x")
    ? new TextEncoder().encode(text)
    : /^0x(?:[\da-fA-F]{2})*$/.test(text)
    ? new Uint8Array(Buffer.from(text.slice(2), "hex"))
    : undefined

export type TagTexts = ReadonlyArray<readonly [name: string, value: string]>

/** Encoded tags as pairs of `idText`; a value without bytes is "". A text says why they do not decode. */
export const tagTexts = (encoded: Uint8Array): TagTexts | string => {
  if (encoded.length === 0) return []
  const pairs = decodeTags(encoded)
  if (pairs instanceof WireFault) return `tags do not decode: ${pairs.message}`
  return pairs.map(([name, value]) => [idText(name), value.length === 0 ? "" : idText(value)] as const)
}

/** Tags for JSON: an object, or null when they do not decode. */
export const tagsJson = (encoded: Uint8Array): Readonly<Record<string, string>> | null => {
  const tags = tagTexts(encoded)
  return typeof tags === "string" ? null : Object.fromEntries(tags)
}
