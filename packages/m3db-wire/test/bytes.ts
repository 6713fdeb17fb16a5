// Bytes as tests write them.

/** Hex digits; white space is ignored. */
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ""), "hex"))

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

export const ascii = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"))

/** `length` bytes that differ from their neighbours. */
export const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff)
