/**
 * Answers of the two peer streaming calls as columns: offsets into the answer's own buffer instead of an object an item.
 * Sources: specs peer streaming 2.2; M3: rpc.thrift.
 */

/** `checksum` columns hold an unsigned 32-bit number or this when the field is absent. */
export const absentChecksum = -1

/** One page of `fetchBlocksMetadataRawV2`. Row i describes one (series, block start). */
export interface MetadataPage {
  /** The decoded arg3. Offsets below point into it. The receiver owns it. */
  readonly buffer: Uint8Array
  readonly count: number
  readonly idOffset: Int32Array
  readonly idLength: Int32Array
  /** 0 length when absent. */
  readonly tagsOffset: Int32Array
  readonly tagsLength: Int32Array
  /** Block start in ns: high and low 32-bit halves of the int64. */
  readonly startHi: Int32Array
  readonly startLo: Int32Array
  /** Bytes, 0 when absent; clamped to 2^53−1. Negative on the wire is an error of the page. */
  readonly size: Float64Array
  /** Unsigned 32-bit or `absentChecksum`. */
  readonly checksum: Float64Array
  /** 1 when the element carried an `err`: such a row has no checksum and size 0. */
  readonly failed: Uint8Array
  /** Absent when the listing is complete. */
  readonly nextPageToken: Uint8Array | undefined
}

/**
 * One answer of `fetchBlocksRaw`: elements → blocks → segments, each level a range of rows of the next. Read its members, do not
 * spread it: columns may be made when they are looked at.
 */
export interface BlocksAnswer {
  readonly buffer: Uint8Array
  readonly elementCount: number
  readonly idOffset: Int32Array
  readonly idLength: Int32Array
  /** Blocks of element i: rows [firstBlock[i], firstBlock[i + 1]). Length elementCount + 1. */
  readonly firstBlock: Int32Array
  readonly blockCount: number
  readonly startHi: Int32Array
  readonly startLo: Int32Array
  /** Unsigned 32-bit or `absentChecksum`. */
  readonly checksum: Float64Array
  /** 0 no segments, 1 merged, 2 unmerged, 3 both. */
  readonly form: Uint8Array
  /** Offset and length of the message of `Block.err`; length −1 when absent. */
  readonly errorOffset: Int32Array
  readonly errorLength: Int32Array
  /** Segments of block j, merged first: rows [firstSegment[j], firstSegment[j + 1]). Length blockCount + 1. */
  readonly firstSegment: Int32Array
  readonly segmentCount: number
  readonly headOffset: Int32Array
  readonly headLength: Int32Array
  readonly tailOffset: Int32Array
  readonly tailLength: Int32Array
  /** There when the whole answer is the usual one. */
  readonly usual?: UsualBlocks | undefined
  /**
   * Gives `buffer` back to where it came from, to be used for another answer; every view of it is detached. Absent when the buffer
   * is the receiver's for good. A receiver may drop the answer without it.
   */
  readonly release?: (() => void) | undefined
}

/**
 * What one pass over a whole answer found: element i is the i-th item that was asked for, with that one block in one merged segment
 * that is not empty, without an error, and the checksum that the block announces is that of its bytes.
 */
export interface UsualBlocks {
  readonly count: number
  /**
   * Four words an item: offset of the head in the answer's buffer · its length · the tail's length · Adler-32 of both. The tail
   * begins `usualTailGap` bytes behind the head.
   */
  readonly rows: Uint32Array
}

/** Type, id and length of the tail's field, between head and tail. */
export const usualTailGap = 7
