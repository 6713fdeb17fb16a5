/** Every bound of this package, with its reason. */
export const Limits = {
  /** Replicas of a shard are 3 to 5 in practice; 64 leaves room for a placement in motion and keeps a row of cells small. */
  maxPeers: 64,
  /** Highest `maxGroups` that may be asked for: beyond it a column of 64 peers would outgrow one typed array. */
  maxGroups: 2 ** 25,
  /** Groups for which columns are made at first when nothing is said: a small shard-block never grows, an empty one costs nothing. */
  initialGroups: 256,
  /** Bytes of the first arena chunk; each next one is as large as all before it, up to `maxChunkBytes`. */
  minChunkBytes: 4096,
  /** Largest shared arena chunk. Growth allocates at most this much at once; a longer id or tag gets a chunk of its own. */
  maxChunkBytes: 256 * 1024,
  /** Sizes a peer claims are kept in 30 bits; a larger claim is kept as this value. No block comes near it. */
  maxSizeBytes: 2 ** 30 - 1
} as const
