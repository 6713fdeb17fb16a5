/** Kinds of hashes and ids that have a text form: base58 of prefix ‖ bytes ‖ checksum (specs: chain bootstrap 2.1). */

/** Prefix bytes (hex) and the number of bytes behind them, by kind. The comment is how the text starts and its length. */
export const HashKinds = {
  /** B / 51 */
  block: { prefix: "0134", bytes: 32 },
  /** o / 51 */
  operation: { prefix: "0574", bytes: 32 },
  /** Lo / 52: the operations of one pass. */
  operationList: { prefix: "85e9", bytes: 32 },
  /** LLo / 53: the lists of all passes, `operations_hash` of a header. */
  operationListList: { prefix: "1d9f6d", bytes: 32 },
  /** P / 51 */
  protocol: { prefix: "02aa", bytes: 32 },
  /** Co / 52 */
  context: { prefix: "4fc7", bytes: 32 },
  /** Net / 15 */
  chain: { prefix: "575200", bytes: 4 },
  /** id / 30 */
  peer: { prefix: "9967", bytes: 16 },
  /** vh / 52 */
  payload: { prefix: "016af2", bytes: 32 },
  /** bm / 52 */
  blockMetadata: { prefix: "eaf9", bytes: 32 },
  /** r / 51 */
  operationMetadata: { prefix: "05b7", bytes: 32 },
  /** LLr / 53 */
  operationMetadataListList: { prefix: "1d9fb6", bytes: 32 },
  /** tz1 / 36 */
  tz1: { prefix: "06a19f", bytes: 20 },
  /** tz2 / 36 */
  tz2: { prefix: "06a1a1", bytes: 20 },
  /** tz3 / 36 */
  tz3: { prefix: "06a1a4", bytes: 20 },
  /** tz4 / 36 */
  tz4: { prefix: "06a1a6", bytes: 20 }
} as const

/** A kind of hash or id, by name. */
export type HashKind = keyof typeof HashKinds
