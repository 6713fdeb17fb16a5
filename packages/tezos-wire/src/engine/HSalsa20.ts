/**
 * HSalsa20: the 20 rounds of Salsa20 without the final addition. NaCl makes the key of a box from the X25519 point by it
 * (`crypto_box_beforenm`), and libsodium's native binding for Node does not export that step.
 */
const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

/** Word indices of the four quarter rounds over columns, then over rows. */
const quarters = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14]
] as const

/** "expand 32-byte k" as four little-endian words. */
const sigma = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const

const doubleRound = (x: Int32Array): void => {
  for (const [a, b, c, d] of quarters) {
    x[b]! ^= rotate(x[a]! + x[d]!, 7)
    x[c]! ^= rotate(x[b]! + x[a]!, 9)
    x[d]! ^= rotate(x[c]! + x[b]!, 13)
    x[a]! ^= rotate(x[d]! + x[c]!, 18)
  }
}

/** The 32-byte key from a 32-byte key and 16 bytes of input (zeros for `crypto_box_beforenm`). Source: NaCl, `crypto_core/hsalsa20`. */
export const hsalsa20 = (key: Uint8Array, input: Uint8Array = new Uint8Array(16)): Uint8Array => {
  const keyView = new DataView(key.buffer, key.byteOffset, 32)
  const inputView = new DataView(input.buffer, input.byteOffset, 16)
  const x = new Int32Array(16)
  for (let i = 0; i < 4; i++) {
    x[i * 5] = sigma[i]!
    x[1 + i] = keyView.getInt32(i * 4, true)
    x[11 + i] = keyView.getInt32(16 + i * 4, true)
    x[6 + i] = inputView.getInt32(i * 4, true)
  }
  for (let round = 0; round < 10; round++) doubleRound(x)
  const out = new Uint8Array(32)
  const outView = new DataView(out.buffer)
  for (const [i, word] of [0, 5, 10, 15, 6, 7, 8, 9].entries()) outView.setInt32(i * 4, x[word]!, true)
  return out
}
