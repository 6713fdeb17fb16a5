/** Every bound of this package with its reason. Options of the same name override those that an operator may need to move. */
export const Limits = {
  /** An info file has 29 to 60 bytes; the rest is room for fields of later versions. */
  maxInfoBytes: 65_536,
  digestBytes: 20,
  checkpointBytes: 4,
  /** Bits for 66 million entries (8.15 bits an entry), far above any one shard and block. */
  maxBloomBytes: 67_108_864,
  /** More hash functions than any false-positive rate in use needs (M3 uses 6); bounds the work of one probe. */
  maxBloomHashes: 64,
  /** Summaries are loaded whole to seek: about 2 million of them, or 66 million entries. */
  maxSummariesBytes: 134_217_728,
  /** As many entries as `maxBloomBytes` serves. */
  maxEntries: 66_000_000,
  /** One index entry (id and tags); M3's own ids and tags stay below 64 KiB each by default. */
  maxEntryBytes: 4_194_304,
  /** One series of one block; a peer's answer is bounded far below. */
  maxSeriesBytes: 268_435_456,
  /** Index entries held in memory to read in write order, as ids, tags and 36 bytes each. */
  maxIndexBytes: 1_073_741_824,
  /** Data is read and checked in pieces of this size. */
  readChunkBytes: 1_048_576,
  /** Buffers of `readChunkBytes` that the writers of a process keep for the next write: two batches of 4 MiB under way. */
  idleWriteBuffers: 8,
  /** Index, summaries and bloom filter are read and written in pieces of this size. */
  indexChunkBytes: 262_144,
  /** Series in one batch of a reader: bounds the objects that one batch makes. */
  maxBatchSeries: 4096,
  /** Filesets that one sink holds open. Each holds one file descriptor (its data file); common limits start at 1024. */
  maxOpenBlocks: 512,
  /** Problems that one `verifyFileset` lists; further ones are counted. */
  maxProblems: 100,
  /** Nesting of msgpack values that are skipped; M3 nests 2 deep. */
  maxMsgpackDepth: 16
} as const
