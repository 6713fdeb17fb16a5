import { assert, describe, it } from "@effect/vitest"
import { halfSipHash, halfSipHashWords } from "@peerstrap/metadata-grouping/testing"

const input = new DataView(Uint8Array.from({ length: 64 }, (_, i) => i).buffer)
const key0 = 0x03020100
const key1 = 0x07060504

describe("HalfSipHash-1-3", () => {
  it("gives the published values for key 00…07 and inputs 00, 00 01, …", () => {
    const published = [0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6]
    const computed = published.map((_, length) => halfSipHash(key0, key1, input, 0, length) >>> 0)
    assert.deepStrictEqual(computed, published)
  })

  it("hashes three words as it hashes their twelve bytes", () => {
    const words = [input.getInt32(0, true), input.getInt32(4, true), input.getInt32(8, true)] as const
    assert.strictEqual(halfSipHashWords(key0, key1, ...words), halfSipHash(key0, key1, input, 0, 12))
  })

  it("depends on both halves of the key and on where the range lies", () => {
    const hashes = [
      halfSipHash(key0, key1, input, 0, 9),
      halfSipHash(key0 + 1, key1, input, 0, 9),
      halfSipHash(key0, key1 + 1, input, 0, 9),
      halfSipHash(key0, key1, input, 1, 9)
    ]
    assert.strictEqual(new Set(hashes).size, 4)
  })
})
