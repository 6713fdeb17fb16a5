/**
 * The way from one list of operations up to the header's operations hash, encoded as on the wire (specs: chain bootstrap 2.6):
 *
 * ```
 * 00                       the leaf: H(list hash)
 * f0 | path | sibling 32   the leaf lies to the left
 * 0f | sibling 32 | path   the leaf lies to the right
 * ```
 *
 * The outermost level is the one below the root. Paths stay encoded: two levels (four passes) are 67 bytes.
 */
import type { Digests } from "../contract/Crypto.ts"
import { Limits } from "../contract/Limits.ts"
import { Malformed } from "../contract/Malformed.ts"
import { nodeHasher } from "./MerkleTree.ts"
import { type Reader, reading } from "./Reader.ts"
import { demand } from "./Writer.ts"

const endTag = 0x00
const leftTag = 0xf0
const rightTag = 0x0f

/** Reads past one path and answers a view of it. */
export const readPath = (reader: Reader): Uint8Array => {
  const start = reader.position
  let siblingsBehind = 0
  for (let depth = 0;; depth++) {
    const at = reader.position
    const tag = reader.u8("path tag")
    if (tag === endTag) break
    if (tag !== leftTag && tag !== rightTag) reader.fail(`path tag ${tag}, expected 00, f0 or 0f (hexadecimal)`, at)
    if (depth === Limits.maxPathDepth) reader.fail(`a path deeper than ${Limits.maxPathDepth}`, at)
    if (tag === leftTag) siblingsBehind++
    else reader.view(32, "left sibling")
  }
  reader.view(32 * siblingsBehind, "right siblings")
  return new Uint8Array(reader.bytes.buffer, reader.bytes.byteOffset + start, reader.position - start)
}

/** Where a path's leaf stands among `size` leaves; undefined when it is no path. Looks at tags only. */
export const pathPosition = (path: Uint8Array): { readonly position: number; readonly size: number } | undefined => {
  if (reading("path", path, readPath) instanceof Malformed) return undefined
  let position = 0
  let size = 1
  for (let at = 0; path[at] !== endTag; size *= 2) {
    const right = path[at] === rightTag
    position = 2 * position + (right ? 1 : 0)
    at += right ? 33 : 1
  }
  return { position, size }
}

/** The root that a well-formed path gives for a list hash: 32 bytes, fresh. */
export const foldPath = (digests: Digests, path: Uint8Array, listHash: Uint8Array): Uint8Array => {
  const node = nodeHasher(digests)
  const fold = (at: number, end: number): Uint8Array => {
    switch (path[at]) {
      case leftTag:
        return node(fold(at + 1, end - 32), path.subarray(end - 32, end))
      case rightTag:
        return node(path.subarray(at + 1, at + 33), fold(at + 33, end))
      default:
        return digests.blake2b(listHash, 32)
    }
  }
  return fold(0, path.length)
}

/** Levels of the tree from the leaves up to the two nodes below the root, padding laid out: for the few passes of a block. */
const treeLevels = (digests: Digests, items: ReadonlyArray<Uint8Array>): ReadonlyArray<ReadonlyArray<Uint8Array>> => {
  const node = nodeHasher(digests)
  const leaves = items.map((item) => digests.blake2b(item, 32))
  const size = 2 ** Math.ceil(Math.log2(items.length))
  let level: ReadonlyArray<Uint8Array> = Array.from({ length: size }, (_, i) => leaves[Math.min(i, leaves.length - 1)]!)
  const levels: Array<ReadonlyArray<Uint8Array>> = []
  while (level.length > 1) {
    levels.push(level)
    const below = level
    level = Array.from({ length: below.length / 2 }, (_, i) => node(below[2 * i]!, below[2 * i + 1]!))
  }
  return levels
}

/** Encoded paths of all passes of a block from their list hashes, in order; fresh. At most `Limits.maxPasses`, else a RangeError. */
export const buildPaths = (digests: Digests, listHashes: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  const passes = listHashes.length
  demand(passes <= Limits.maxPasses, () => `${passes} passes, the limit is ${Limits.maxPasses}`)
  if (passes === 0) return []
  const levels = treeLevels(digests, listHashes)
  return listHashes.map((_, pass) => {
    const path = new Uint8Array(1 + 33 * levels.length)
    let [at, end] = [0, path.length]
    for (let height = levels.length - 1; height >= 0; height--) {
      const index = pass >> height
      const sibling = levels[height]![index ^ 1]!
      const right = index % 2 === 1
      path[at] = right ? rightTag : leftTag
      path.set(sibling, right ? at + 1 : end - 32)
      if (right) at += 33
      else [at, end] = [at + 1, end - 32]
    }
    path[at] = endTag
    return path
  })
}

/** Encoded path of one pass: see `buildPaths`. */
export const buildPath = (digests: Digests, listHashes: ReadonlyArray<Uint8Array>, pass: number): Uint8Array => {
  const path = buildPaths(digests, listHashes)[pass]
  if (path === undefined) throw new RangeError(`pass ${pass} of ${listHashes.length}`)
  return path
}
