/** Every bound of this package, with its reason. */
export const Limits = {
  /** Buffers handed to one `writev`. Linux accepts 1024 (IOV_MAX); more would be cut by the system anyway. */
  chunksPerWrite: 1024,
  /** A read up to this length allocates it outright; a longer one asks for the file's size first and never allocates more. */
  readWithoutSizeBytes: 65_536,
  /** Free bytes that a memory file system without a capacity reports: 1 TiB, more than any test writes. */
  unlimitedFreeBytes: 2 ** 40,
  /** A lock that two processes reach for at the same moment is waited for, so that one of them gets it. This thread stands still meanwhile. */
  lockWaitMillis: 50,
  /** Bytes read of the file that says who holds a lock: a process id and the name of a machine. */
  lockHolderBytes: 512,
  /** One record of a journal: a key and a value of a store, far above what a journal notes. */
  journalRecordBytes: 1_052_672,
  /** Records that share one sync, with 4 bytes each: four of the largest. A reader believes no frame to have more. */
  journalFrameBytes: 4_210_704,
  /** Bytes after which a journal begins its next segment: what `dropBefore` can set free at once. */
  journalSegmentBytes: 67_108_864,
  /** Segments of one journal, whose headers are read at opening: 6 TiB of records. */
  journalSegments: 100_000,
  /** Bytes that a replay reads at once; more for a frame that is larger. */
  journalReadBytes: 262_144,
  /** A key: an index keeps keys whole in its inner pages, and long ones make it slow. */
  keyBytes: 1024,
  /** A value; what is larger belongs into a file. */
  valueBytes: 1_048_576,
  /** Changes of one atomic batch. */
  batchChanges: 65_536,
  /** Keys and values of one atomic batch, with 8 bytes each change: four of the largest, and what a frame of a journal holds. */
  batchBytes: 4_194_304,
  /** Entries of one page of a scan. */
  scanEntries: 4096,
  /** Keys and values of one page of a scan, beside its first entry. */
  scanBytes: 4_194_304,
  /** Keys of one `get`. */
  getKeys: 65_536,
  /** Keys and values that a store in memory holds, with 64 bytes each entry. */
  memoryStoreBytes: 268_435_456,
  /** A store over a journal writes itself anew when its journal holds this many bytes and twice what lives. */
  compactionBytes: 16_777_216
} as const
