/** Which shard a series belongs to: murmur3_x86_32 of its id, modulo the number of shards (specs: peer streaming 4.1). */

/** murmur3_x86_32 over `bytes[start, end)`; unsigned. */
export const murmur3 = (bytes: Uint8Array, seed = 0, start = 0, end: number = bytes.length): number => {
  let hash = seed | 0
  const tail = end - ((end - start) & 3)
  let i = start
  for (; i < tail; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    k = Math.imul(k, 0xcc9e2d51)
    hash ^= Math.imul((k << 15) | (k >>> 17), 0x1b873593)
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  if (i < end) {
    let k = 0
    for (let j = end - 1; j >= i; j--) k = (k << 8) | bytes[j]!
    k = Math.imul(k, 0xcc9e2d51)
    hash ^= Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  }
  hash ^= end - start
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** The shard of an id. The seed must be the cluster's (default 0); the number of shards comes from the placement. */
export const shardOf = (id: Uint8Array, seed: number, numShards: number): number => murmur3(id, seed) % numShards
