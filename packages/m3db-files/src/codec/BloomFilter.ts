/**
 * M3DB's bloom filter: the file is the bit set alone (64-bit little-endian words), its size and hash count stand in the info
 * file. (specs: storage 5.5; M3: m3db/bloom)
 */
import { Limits } from "../contract/Limits.ts"
import { Malformed } from "../contract/Malformed.ts"
import { makeBloomProbes } from "./BloomProbes.ts"
import { murmur3X64Pair } from "./Murmur3X64.ts"

const addProbes = makeBloomProbes()

const falsePositives = 0.02

/** Bits and hash functions that M3 chooses for a number of entries. */
export const optimalBloom = (entries: number): { readonly bits: number; readonly hashes: number } => {
  const n = Math.max(1, entries)
  const bits = -n * Math.log(falsePositives) / (Math.LN2 * Math.LN2)
  return { bits: Math.ceil(bits), hashes: Math.ceil(Math.LN2 * bits / n) }
}

/** Bytes of the file for `bits`. */
export const bloomBytes = (bits: number): number => (Math.floor(bits / 64) + 1) * 8

/** Half of the hash that probe `i` multiplies: 2 + ((i + i mod 2) mod 4) / 2, as an offset in words. */
const multiplierOf = (i: number): number => 4 + ((i + (i & 1)) % 4)

/** A set of ids that may answer "perhaps" for one that is not in it, never "no" for one that is. */
export class BloomFilter {
  readonly bits: number
  readonly hashes: number
  /** The file's content. */
  readonly bytes: Uint8Array
  private readonly inverse: number
  /** h0, h1 of the id and h2, h3 of the id followed by 0x01; each as high and low word. */
  private readonly words = new Uint32Array(8)
  private readonly first = this.words.subarray(0, 4)
  private readonly second = this.words.subarray(4, 8)

  private constructor(bits: number, hashes: number, bytes: Uint8Array) {
    this.bits = bits
    this.hashes = hashes
    this.bytes = bytes
    this.inverse = 1 / bits
  }

  /** An empty filter of the optimal size. */
  static forEntries(entries: number): BloomFilter {
    const { bits, hashes } = optimalBloom(entries)
    return new BloomFilter(bits, hashes, new Uint8Array(bloomBytes(bits)))
  }

  /** An empty filter of a given size. */
  static empty(bits: number, hashes: number): BloomFilter | Malformed {
    return BloomFilter.decode(bits, hashes, undefined)
  }

  /** The filter of a file; the bytes are used as they are. */
  static decode(bits: number, hashes: number, bytes: Uint8Array | undefined): BloomFilter | Malformed {
    const size = bloomBytes(bits)
    if (size > Limits.maxBloomBytes || hashes > Limits.maxBloomHashes) {
      return new Malformed("limit", 0, `a bloom filter of ${bits} bits and ${hashes} hashes`)
    }
    if (bits < 1) return new Malformed("malformed", 0, "a bloom filter without bits")
    if (bytes !== undefined && bytes.length !== size) {
      return new Malformed("malformed", 0, `a bloom filter of ${bits} bits has ${size} bytes, this one ${bytes.length}`)
    }
    return new BloomFilter(bits, hashes, bytes ?? new Uint8Array(size))
  }

  private hash(id: Uint8Array, start: number, end: number): void {
    murmur3X64Pair(this.first, this.second, id, start, end)
  }

  /** Bit of probe `i`: (h[i mod 2] + i * multiplier mod 2^64) mod bits, exact in doubles. */
  private location(i: number): number {
    const { words } = this
    const base = (i & 1) * 2
    const multiplier = multiplierOf(i)
    // i stays below 2^6, so every partial product stays far below 2^53.
    const low = words[base + 1]! + i * words[multiplier + 1]!
    const lowWord = low % 4_294_967_296
    const carry = (low - lowWord) / 4_294_967_296
    const highWord = (words[base]! + i * words[multiplier]! + carry) % 4_294_967_296
    let rest = this.reduce(highWord)
    rest = this.reduce(rest * 65_536 + Math.floor(lowWord / 65_536))
    return this.reduce(rest * 65_536 + lowWord % 65_536)
  }

  /** value mod bits by one multiplication; the estimate is off by at most one. */
  private reduce(value: number): number {
    const rest = value - Math.floor(value * this.inverse) * this.bits
    return rest < 0 ? rest + this.bits : rest >= this.bits ? rest - this.bits : rest
  }

  /** Sets the bits of `source[start, end)`. */
  add(source: Uint8Array, start: number, end: number): void {
    this.hash(source, start, end)
    for (let i = 0; i < this.hashes; i++) {
      const bit = this.location(i)
      const at = Math.floor(bit / 8)
      this.bytes[at] = this.bytes[at]! | (1 << (bit & 7))
    }
  }

  /** Sets the bits of `count` ids; id `i` is `source[ranges[2i], ranges[2i + 1])`, and they stand in ascending order. */
  addAll(source: Uint8Array, ranges: Uint32Array, count: number): void {
    for (let at = 0; at < count;) {
      const next = addProbes?.(this.bytes, this.bits, this.hashes, source, ranges, at, count) ?? at
      if (next === at) {
        this.add(source, ranges[2 * at]!, ranges[2 * at + 1]!)
        at++
      } else at = next
    }
  }

  /** False: certainly not in the set. */
  has(source: Uint8Array, start: number, end: number): boolean {
    this.hash(source, start, end)
    for (let i = 0; i < this.hashes; i++) {
      const bit = this.location(i)
      if ((this.bytes[Math.floor(bit / 8)]! & (1 << (bit & 7))) === 0) return false
    }
    return true
  }

  /** The bits of an id in the order of the probes (for tests and explanations). */
  locations(id: Uint8Array): Array<number> {
    this.hash(id, 0, id.length)
    return Array.from({ length: this.hashes }, (_, i) => this.location(i))
  }
}
