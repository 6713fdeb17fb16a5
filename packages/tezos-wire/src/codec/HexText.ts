/** Bytes as lower-case hexadecimal text and back. */
import { Malformed } from "../contract/Malformed.ts"

/** Two lower-case digits a byte. */
export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")

const hexFault = (offset: number, message: string) => new Malformed({ what: "hexadecimal text", offset, message })

/** Reads digits of either case into a fresh array of at most `maxBytes`; `offset` of the error counts characters. */
export const fromHex = (text: string, maxBytes: number): Uint8Array | Malformed => {
  if (text.length > 2 * maxBytes) return hexFault(2 * maxBytes, `${text.length} digits, at most ${2 * maxBytes} fit`)
  const strange = text.search(/[^0-9a-fA-F]/)
  if (strange >= 0) return hexFault(strange, `expected a hexadecimal digit, found ${JSON.stringify(text[strange])}`)
  if (text.length % 2 !== 0) return hexFault(text.length, `an odd number of digits: ${text.length}`)
  return new Uint8Array(Buffer.from(text, "hex"))
}
