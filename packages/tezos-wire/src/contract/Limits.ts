/** Every bound of messages, headers, operations and locators with its reason (specs: chain bootstrap 1.8, 11.8–11.10). */
export const Limits = {
  /** Largest value of a frame's size field that we read. Octez takes 100 MiB; with the bounds below nothing valid passes 8.6 MB. */
  maxFrameBytes: 9 * 1024 * 1024,
  /** Largest block header: what Octez enforces. Real ones reach 754,032 bytes, so never assume a size. */
  maxHeaderBytes: 8 * 1024 * 1024,
  /**
   * Largest fitness with the prefixes of its elements. Real ones have 33 bytes and TezEdge ends at 96; without a bound a header
   * of 8 MiB could claim two million empty elements.
   */
  maxFitnessBytes: 1_024,
  /** Largest fitness that we write: TezEdge reads no more. */
  maxWrittenFitnessBytes: 96,
  /** Hashes, or (block, pass) pairs, in one request: what Octez enforces in each of its four kinds of request. */
  maxRequestItems: 10,
  /** Points in one Advertise: what Octez enforces. */
  maxPoints: 100,
  /** Longest text of a point: an IPv6 address in its longest form with brackets and port. What Octez enforces. */
  maxPointBytes: 47,
  /** Hashes in the history of a branch: what Octez enforces on reading; its own have at most 250. */
  maxHistoryEntries: 1_000,
  /** Operation hashes of a CurrentHead, known valid and pending together: what Octez enforces. */
  maxMempoolOperations: 4_000,
  /** Depth of a path from a pass to the operations hash, three levels for eight passes: what Octez enforces. */
  maxPathDepth: 3,
  /** Passes that a path of the greatest depth can tell apart. */
  maxPasses: 8,
  /** All operations of one OperationsForBlocks with their length prefixes: what Octez enforces. */
  maxOperationListBytes: 1024 * 1024,
  /** One operation with its branch on reading: TezEdge counts 128 KiB without the branch. */
  maxOperationBytes: 128 * 1024 + 32,
  /** One operation with its branch on writing: Octez counts 128 KiB with the branch. */
  maxWrittenOperationBytes: 128 * 1024,
  /** A whole Protocol message after its tag: what Octez enforces. */
  maxProtocolBytes: 2 * 1024 * 1024,
  /** Components of a Protocol; real ones have below 400. Nine bytes of message can claim one. */
  maxProtocolComponents: 4_096,
  /** Greatest step of a locator for which levels are assigned: beyond it the step passes 32 bits on the other side. */
  maxLocatorStep: 2 ** 30,
  /** Entries that we put in a locator unless told otherwise: what Octez does since v25; older ones and TezEdge stop at 200. */
  locatorEntries: 250
} as const
