/** Ids as text. */
export const toHex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")

/** An id for messages: quoted when it is plain ASCII, else hex; cut after 64 bytes. */
export const showId = (id: Uint8Array): string => {
  const shown = id.subarray(0, 64)
  const plain = shown.every((byte) => byte >= 0x20 && byte < 0x7f)
  const text = plain ? JSON.stringify(String.fromCharCode(...shown)) : `0x${toHex(shown)}`
  return id.length > 64 ? `${text}… (${id.length} bytes)` : text
}
