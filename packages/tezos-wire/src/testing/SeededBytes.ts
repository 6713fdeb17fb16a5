/** Bytes and numbers that are the same for the same seed, on every machine and in every order of use of different seeds. */
import { createHash } from "node:crypto"

/** xorshift128 over words of a SHA-256 of the seed: fast, and far from good enough for anything but tests. */
export class SeededBytes {
  private readonly words: Uint32Array

  constructor(seed: string) {
    const digest = createHash("sha256").update(seed).digest()
    this.words = Uint32Array.from({ length: 4 }, (_, i) => digest.readUInt32LE(i * 4) | 1)
  }

  /** A whole number from 0 to 2³² − 1. */
  word(): number {
    const { words } = this
    let t = words[3]!
    const s = words[0]!
    words[3] = words[2]!
    words[2] = words[1]!
    words[1] = s
    t ^= t << 11
    t ^= t >>> 8
    words[0] = t ^ s ^ (s >>> 19)
    return words[0]!
  }

  /** A whole number from 0 to `bound` − 1. */
  below(bound: number): number {
    return this.word() % bound
  }

  /** From `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    this.write(out, 0)
    return out
  }

  /** Fills from `start` on. */
  write(out: Uint8Array, start: number): void {
    let at = start
    while (at < out.length) {
      const word = this.word()
      for (let i = 0; i < 4 && at < out.length; i++) out[at++] = (word >>> (i * 8)) & 0xff
    }
  }
}
