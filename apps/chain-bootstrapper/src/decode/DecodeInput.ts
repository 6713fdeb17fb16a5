/** What `decode` is to look at: hex from the command line, or a file of hex text or of the bytes themselves. */
import { type CheckContext, shown } from "@peerstrap/command-line"
import { fromHex, Malformed } from "@peerstrap/tezos-wire"

/** A message has at most 9 MiB, a list of operations 1 MiB. */
const maxBytes = 16 * 2 ** 20

export interface DecodeInput {
  readonly bytes: Uint8Array
  /** `hex` or the file's path, for messages. */
  readonly source: string
}

/** Undefined where hex text is not meant at all. */
const asHex = (text: string): Uint8Array | Malformed | undefined => {
  const digits = text.replace(/\s+/g, "").replace(/^0x/, "")
  return digits === "" ? undefined : fromHex(digits, maxBytes)
}

const looksLikeText = (bytes: Uint8Array): boolean =>
  bytes.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 0x20 && byte < 0x7f))

/** The bytes of a file: of its hex digits when it holds nothing but hex text. */
const ofFile = (bytes: Uint8Array): Uint8Array => {
  if (bytes.length === 0 || !looksLikeText(bytes)) return bytes
  const hex = asHex(new TextDecoder().decode(bytes))
  return hex === undefined || hex instanceof Malformed ? bytes : hex
}

/** The input, or what is wrong with it. */
export const readDecodeInput = (
  operand: string | undefined,
  file: string | undefined,
  read: CheckContext["read"]
): DecodeInput | string => {
  if (operand === undefined && file === undefined) return "is missing: give hex digits, or a file with --file"
  if (operand !== undefined && file !== undefined) return "give hex digits or --file, not both"
  if (file !== undefined) {
    const bytes = read(file)
    return "problem" in bytes ? bytes.problem : { bytes: ofFile(bytes), source: file }
  }
  const hex = asHex(operand!)
  if (hex === undefined) return "is empty; want hex digits"
  if (!(hex instanceof Malformed)) return { bytes: hex, source: "hex" }
  const bytes = read(operand!)
  if (!("problem" in bytes)) return { bytes: ofFile(bytes), source: operand! }
  return `${shown(operand!)} is no hex text (byte offset ${
    Math.floor(hex.offset / 2)
  }: ${hex.message}), and no file: ${bytes.problem}`
}
