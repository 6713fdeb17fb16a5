/**
 * The distances between the entries of a locator: pseudo-random, but computable by both sides, so that a peer cannot choose what it shows
 * (specs: chain bootstrap 3.1, A1–A3). Ten values of each step size 1, 2, 4, …; a value lies between half and one and a half of its step.
 */
import type { Digests } from "../contract/Crypto.ts"
import { Limits } from "../contract/Limits.ts"
import { demand } from "./Writer.ts"

/** Who sends a locator to whom, and for which head. */
export interface LocatorSeed {
  /** Peer id of the side that sends the branch, 16 bytes. */
  readonly sender: Uint8Array
  /** Peer id of the side that gets it, 16 bytes. */
  readonly receiver: Uint8Array
  /** Hash of the head, 32 bytes: the hash of the header's bytes. */
  readonly headHash: Uint8Array
}

/** Values of each step size. */
const valuesPerStep = 10

/** Draws the distances of one locator, one after another, from the ids of both peers and the head's hash. */
export class SeededSteps {
  private readonly digests: Digests
  /** The step that the next value is drawn around. */
  step = 1
  /** Values still drawn around this step after the next one. */
  counter = valuesPerStep - 1
  /** What the next gap is drawn from. */
  seed: Uint8Array

  constructor(digests: Digests, { headHash, receiver, sender }: LocatorSeed) {
    demand(
      sender.length === 16 && receiver.length === 16 && headHash.length === 32,
      () => `ids of ${sender.length} and ${receiver.length} bytes, a hash of ${headHash.length}: not 16, 16, 32`
    )
    const together = new Uint8Array(64)
    together.set(sender)
    together.set(receiver, 16)
    together.set(headHash, 32)
    this.digests = digests
    this.seed = digests.sha256(together)
  }

  /** The next distance; undefined for ever once the step would pass `Limits.maxLocatorStep`. */
  next(): number | undefined {
    const { seed, step } = this
    if (step > Limits.maxLocatorStep) return undefined
    let gap = 0
    if (step > 1) {
      const drawn = seed[0]! << 24 | seed[1]! << 16 | seed[2]! << 8 | seed[3]!
      // Signed, and the remainder keeps the sign: a negative gap makes the distance longer than the step.
      gap = drawn % (step / 2 + 1)
      this.seed = this.digests.sha256(seed)
    }
    if (this.counter === 0) {
      this.step = 2 * step
      this.counter = valuesPerStep - 1
    } else {
      this.counter--
    }
    return step - gap
  }
}
