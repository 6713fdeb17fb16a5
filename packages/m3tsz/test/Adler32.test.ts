/** Both kernels of Adler-32 and the dispatch between them give the same sums; the assembled bytes are those of the source. */
import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { readFileSync } from "node:fs"
import wabt from "wabt"
import { adler32, adler32OfPieces, adler32Update } from "../src/engine/Adler32.ts"
import { adler32Module } from "../src/engine/Adler32Module.ts"
import { plainAdler32Update } from "../src/engine/PlainAdler32.ts"
import { makeVectorAdler32 } from "../src/engine/VectorAdler32.ts"
import { Random } from "../src/testing/Random.ts"

const vector = makeVectorAdler32()!

/** The definition, one byte at a time. */
const naive = (previous: number, bytes: Uint8Array): number => {
  let a = previous & 0xffff
  let b = previous >>> 16
  for (const byte of bytes) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return b * 65536 + a
}

const random = new Random(7)
const noise = Uint8Array.from({ length: 200_000 }, () => random.below(256))
const full = new Uint8Array(200_000).fill(0xff)
/** The largest checksum there is: both sums at 65520. */
const highest = 0xfff0fff0

const same = (previous: number, bytes: Uint8Array, offset: number, length: number): void => {
  const expected = naive(previous, bytes.subarray(offset, offset + length))
  const where = `previous ${previous}, offset ${offset}, length ${length}`
  assert.strictEqual(plainAdler32Update(previous, bytes, offset, length), expected, `plain: ${where}`)
  assert.strictEqual(vector(previous, bytes, offset, length), expected, `vector: ${where}`)
  assert.strictEqual(adler32Update(previous, bytes, offset, length), expected, `dispatch: ${where}`)
}

describe("Adler-32", () => {
  it("runs the vector kernel here", () => assert.isDefined(makeVectorAdler32()))

  it("has the values of the specification", () => {
    assert.strictEqual(adler32(new Uint8Array(0)), 1)
    assert.strictEqual(adler32(new TextEncoder().encode("Wikipedia")), 0x11e60398)
    assert.strictEqual(vector(1, new TextEncoder().encode("Wikipedia"), 0, 9), 0x11e60398)
  })

  it("is the same in both kernels for every length up to 600", () => {
    for (let length = 0; length <= 600; length++) {
      same(1, noise, length % 17, length)
      same(highest, full, 0, length)
    }
  })

  it("is the same at every alignment", () => {
    for (let offset = 0; offset < 64; offset++) {
      for (const length of [1, 15, 16, 17, 200, 5_600]) same(1, noise, offset, length)
    }
  })

  it("does not overflow where the runs and the pieces of the kernels end", () => {
    for (const middle of [3_800, 5_536, 5_552, 11_072, 65_472, 65_536, 130_944, 196_416]) {
      for (let length = middle - 18; length <= middle + 18; length++) {
        same(highest, full, 0, length)
        same(1, noise, 1, length)
      }
    }
  })

  it("leaves nothing of one input behind for the next", () => {
    vector(1, full, 0, full.length)
    for (let length = 0; length <= 64; length++) same(1, noise, 0, length)
  })

  it("is the same for any checksum so far, any bytes, and any way to cut them", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 700 }),
      fc.nat(12_000).map((length) => noise.subarray(length, 2 * length)),
      fc.nat(12_000).map((length) => full.subarray(0, length))
    )
    fc.assert(
      fc.property(fc.nat(65_520), fc.nat(65_520), fc.array(piece, { maxLength: 5 }), (a, b, pieces) => {
        same(b * 65_536 + a, pieces[0] ?? noise, 0, pieces[0]?.length ?? 0)
        assert.strictEqual(adler32OfPieces(pieces), naive(1, Uint8Array.from(pieces.flatMap((one) => [...one]))))
      }),
      { seed: 20_261_121, numRuns: 200 }
    )
  })

  it("is assembled from its source", async () => {
    const source = new URL("../src/engine/Adler32.wat", import.meta.url)
    const parsed = (await wabt()).parseWat("Adler32.wat", readFileSync(source, "utf8"), { simd: true })
    parsed.resolveNames()
    const assembled = Buffer.from(parsed.toBinary({ write_debug_names: false }).buffer).toString("base64")
    assert.strictEqual(adler32Module, assembled, "put the assembled bytes into Adler32Module.ts")
  })
})
