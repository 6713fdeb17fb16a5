/** Every bound of this package with its reason. Options that change one are named like the bound. */
export const Limits = {
  /** Largest TChannel frame: its size field has 16 bits (specs: peer streaming 1.2). */
  maxFrameBytes: 65_535,
  /** Longest arg1 (specs: peer streaming 1.6). */
  maxMethodBytes: 16_384,
  /** Longest arg2: M3DB sends two bytes; a frame's worth is far above any use of application headers. */
  maxHeaderArgumentBytes: 65_535,
  /** Longest answer (arg3). A batch of 4,096 ordinary blocks has about 8 MiB; asking for less is always possible. */
  maxAnswerBytes: 64 * 1024 * 1024,
  /** Longest request (arg3) that we write or that our server reads: 4,096 ids of 4 KiB. */
  maxRequestBytes: 16 * 1024 * 1024,
  /**
   * Most rows of any one column of an answer. Twelve bytes of answer can claim a row of about 40 bytes of columns, so
   * without it a hostile answer would cost several times its size.
   */
  maxRows: 1_000_000,
  /** Nesting at which skipping an unknown field gives up; M3DB's deepest answer has seven levels. */
  maxThriftDepth: 32,
  /** Series a metadata page may ask for: the peer builds the page in memory (specs: peer streaming 1.13). */
  maxPageSeries: 4_096,
  /** Pairs of an init message: real ones have five. */
  maxInitPairs: 64,
  /** Bytes of a peer's text that an error keeps. */
  maxMessageBytes: 1_024,
  /** Connections a peer: one for health, the others with one bulk call each. M3's own client opens up to 32. */
  connectionsPerPeer: 4,
  /** Bulk calls of one client that wait for a connection; above it a call is refused with `local`. */
  maxWaitingCalls: 4_096,
  /** Time for both halves of the handshake, as on the Go side (specs: peer streaming 1.3). */
  handshakeTimeoutMillis: 5_000,
  /** Time for TCP to connect, as on the Go side (specs: peer streaming 1.9). */
  dialTimeoutMillis: 5_000,
  /** Silence that ends a call. The peer builds the whole answer before its first byte, so not below some seconds. */
  idleTimeoutMillis: 15_000,
  /** Whole duration of a call, also the TTL on the wire: M3's own fetch timeout. */
  callTimeoutMillis: 60_000,
  /** Frames for calls that are over, on one connection; more than that is not lateness but a flood. */
  maxLateFrames: 1_024,
  /** Answers to pings that wait to be written; a peer that pings faster than it reads is cut off. */
  maxPendingPongs: 16
} as const
