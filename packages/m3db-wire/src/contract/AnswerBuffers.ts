/**
 * Buffers of block answers that are used again: making the pages of a fresh one is dearer than reading into an old one. They lie
 * in kernel memory, so that one pass of vector code can match and verify the answer where it arrived.
 */

export interface AnswerBuffers {
  /** A buffer for the answer to one request; undefined where there is none to be had, and the answer gets ordinary memory. */
  take(need: AnswerNeed): AnswerBuffer | undefined
  /** Bytes of the buffers that wait to be used again. */
  readonly idleBytes: number
}

/** What a buffer for one answer must be able to hold. */
export interface AnswerNeed {
  /** Elements of the request, as they go over the wire. */
  readonly elements: Uint8Array
  readonly items: number
  /** Most bytes that the answer may have. */
  readonly maxAnswerBytes: number
}

/** One buffer on loan. */
export interface AnswerBuffer {
  /** Where the answer is gathered: `maxAnswerBytes` bytes. */
  readonly answer: Uint8Array
  /** Four words an item, written by `walk`: see `UsualBlocks.rows`. */
  readonly rows: Uint32Array
  /**
   * Walks the answer's elements in `answer[start, end)` in step with those of the request; returns how many leading ones are
   * usual, or −1 when all are but the last does not end at `end`.
   */
  walk(start: number, end: number): number
  /** Ends the loan. Every view of the buffer is detached, so that nobody can see the next answer through it. Idempotent. */
  giveBack(): void
}
