/**
 * The Merkle tree over byte strings (specs: chain bootstrap 2.6), H = blake2b-256:
 *
 * ```
 * leaf = H(x)    node = H(left ‖ right)    no leaves: H("")    one: H(x)
 * to the right the last leaf is repeated up to the next power of two
 * ```
 */
import type { Digests } from "../contract/Crypto.ts"

/** Makes nodes in one buffer of 64 bytes that is used again and again. */
export const nodeHasher = (digests: Digests): (left: Uint8Array, right: Uint8Array) => Uint8Array => {
  const pair = new Uint8Array(64)
  return (left, right) => {
    pair.set(left)
    pair.set(right, 32)
    return digests.blake2b(pair, 32)
  }
}

/**
 * Root over `items`, 32 bytes, fresh. The padding is never laid out: on each level it is a whole tree of copies of the last leaf, whose root
 * `padding` stands beside the last node when their number is odd.
 */
export const merkleRoot = (digests: Digests, items: ReadonlyArray<Uint8Array>): Uint8Array => {
  if (items.length === 0) return digests.blake2b(new Uint8Array(0), 32)
  const node = nodeHasher(digests)
  const level = items.map((item) => digests.blake2b(item, 32))
  let padding = level.at(-1)!
  for (let count = level.length; count > 1;) {
    const above = (count + 1) >> 1
    for (let i = 0; i < above; i++) level[i] = node(level[2 * i]!, 2 * i + 1 < count ? level[2 * i + 1]! : padding)
    count = above
    if (count > 1) padding = node(padding, padding)
  }
  return level[0]!
}
