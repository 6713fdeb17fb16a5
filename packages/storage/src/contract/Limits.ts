/** Every bound of this package, with its reason. */
export const Limits = {
  /** Buffers handed to one `writev`. Linux accepts 1024 (IOV_MAX); more would be cut by the system anyway. */
  chunksPerWrite: 1024,
  /** A read up to this length allocates it outright; a longer one asks for the file's size first and never allocates more. */
  readWithoutSizeBytes: 65_536,
  /** Free bytes that a memory file system without a capacity reports: 1 TiB, more than any test writes. */
  unlimitedFreeBytes: 2 ** 40
} as const
