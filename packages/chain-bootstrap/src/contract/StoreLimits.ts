/** Every bound of the chain store and the appliers, with its reason. */
export const storeLimits = {
  /** A log file is closed at this size: a damaged or lost file costs no more, and a scan shows progress by files. */
  fileBytes: 256 * 2 ** 20,
  /** Payload of one record. A unit comes in one message of at most 16 MiB; twice that leaves room for the list's framing. */
  recordBytes: 32 * 2 ** 20,
  /** A header is some hundred bytes, but that of a block that activates a protocol was 754,032 once; wires allow 8 MiB. */
  headerBytes: 8 * 2 ** 20,
  /** Units of one block: the mask of held units is one 32-bit number. */
  unitsPerBlock: 31,
  /** Ids in one record of a segment or of an applied step: 2 MiB of ids. Longer ones are written as several records. */
  idsPerRecord: 65_536,
  /** Evidence of one segment as JSON, peers included: thousands of runs with a hundred supporters each. */
  evidenceBytes: 16 * 2 ** 20,
  /** Bytes of one group commit, unless a single append call is larger: bounds what a failed write has to repeat. */
  groupBytes: 16 * 2 ** 20,
  /** Bytes read at a time by a scan. */
  scanBytes: 4 * 2 ** 20,
  /** Neighbouring records are read together up to this length. */
  readBytes: 2 ** 20,
  /** Log files that are held open for reading. */
  openFiles: 16,
  /** Log files of one store: their number has six digits. */
  files: 999_999,
  /** Places of damage that are remembered one by one; more are counted. */
  damages: 1000,
  /** Blocks with something missing that a repair looks for before it asks peers: memory holds their headers. */
  holesAtATime: 1000,
  /** Peers that a repair asks, one after the other: with more silent ones the run would begin much later. */
  repairPeers: 20,
  /** A named document of the store. */
  documentBytes: 4 * 2 ** 20,
  /** The document that names the store. */
  identityBytes: 64 * 2 ** 10,
  /** An index up to this size is checked in full at each start; a larger one only for its structure, and only when the last run did not close it. */
  indexCheckBytes: 16 * 2 ** 20,
  /** Blocks that an export or a verification holds at a time, fewer when their bodies are larger than `batchBytes`. */
  blocksAtATime: 64,
  /** Bodies that an export or a verification holds at a time, beyond which a batch ends. */
  batchBytes: 8 * 2 ** 20,
  /** A line from an applier's process: an answer is a hash and a reason. */
  applierLineBytes: 64 * 2 ** 10,
  /** Last lines of an applier's stderr that its failure quotes, and the length that each is cut to. */
  applierErrorLines: 20,
  applierErrorLineBytes: 1024,
  /** Until the first line of an applier's process. */
  applierHelloMillis: 30_000,
  /** Between the end of its input and the kill. */
  applierStopMillis: 5000
} as const
