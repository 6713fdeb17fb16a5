/**
 * The proof of work of an identity. The digest is read as a *little-endian* number, so that the zero bytes of a good one stand at its
 * end; targets are kept big-endian here, as they are usually printed.
 */
import { hex } from "@scure/base"
import type { Digests } from "../../contract/Crypto.ts"
import { identityBytes } from "../../contract/Identity.ts"

const digestBytes = 32
/** Bits of the fraction of a target that a floating-point difficulty determines; the bits below are ones. */
const fractionBits = 54
const lowBits = 202

/**
 * The greatest digest, as 32 big-endian bytes, that proves `difficulty` (0 … 256, may be fractional; 26 on public networks): 2^(256−d) − 1 for
 * integers. Throws a `RangeError` for other difficulties. Source: octez `src/lib_crypto/crypto_box.ml`.
 */
export const proofOfWorkTarget = (difficulty: number): Uint8Array => {
  if (!(difficulty >= 0 && difficulty <= 256)) {
    throw new RangeError(`a proof-of-work difficulty lies between 0 and 256, not ${difficulty}`)
  }
  const shift = Math.floor(difficulty)
  const fraction = difficulty - shift
  const one = BigInt(1)
  const leading = fraction === 0
    ? (one << BigInt(fractionBits)) - one
    : BigInt(Math.trunc(2 ** (fractionBits - fraction)))
  const spare = lowBits - shift
  const target = spare > 0
    ? (leading << BigInt(spare)) + (one << BigInt(spare)) - one
    : leading >> BigInt(-spare)
  return hex.decode(target.toString(16).padStart(digestBytes * 2, "0"))
}

/** Whether a digest, read as a little-endian number, is at most the target (big-endian). */
export const meetsTarget = (digest: Uint8Array, target: Uint8Array): boolean => {
  for (let i = 0; i < digestBytes; i++) {
    const difference = digest[digestBytes - 1 - i]! - target[i]!
    if (difference !== 0) return difference < 0
  }
  return true
}

/** The digest as the number that is compared. For diagnostics. */
export const proofOfWorkNumber = (digest: Uint8Array): bigint => BigInt(`0x${hex.encode(digest.toReversed())}`)

/** Whether 32 bytes of public key and 24 of stamp prove the work of the target. */
export const checkProofOfWork = (
  digests: Digests,
  publicKey: Uint8Array,
  stamp: Uint8Array,
  target: Uint8Array
): boolean => {
  const proof = new Uint8Array(identityBytes.publicKey + identityBytes.proofOfWorkStamp)
  proof.set(publicKey)
  proof.set(stamp, identityBytes.publicKey)
  return meetsTarget(digests.blake2b(proof, digestBytes), target)
}

/** How many stamps have to be tried on average: 2^difficulty. */
export const expectedTries = (difficulty: number): number => 2 ** difficulty
