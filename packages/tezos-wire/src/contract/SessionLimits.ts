/** Every bound of identity, handshake and session with its reason. Options that change one are named like the bound. */
export const SessionLimits = {
  /** Longest chain name in a connection message; TezEdge refuses longer ones, the longest known has 45 characters. */
  maxChainNameBytes: 128,
  /** Points that we put in a Nack, as Octez does. */
  sentNackPoints: 50,
  /** An identity file has about 300 characters; more is something else. */
  maxIdentityFileBytes: 65_536,
  /** Smallest sealed chunk that is read: the 16-byte tag of an empty plaintext. */
  minSealedChunkBytes: 16,
  /** Largest sealed chunk that is read: what the 16-bit length can say. */
  maxSealedChunkBytes: 65_535,
  /** Most plaintext in a chunk that is written: TezEdge writes no more, and Octez reads up to 65,517. */
  maxPlaintextChunkBytes: 65_503,
  /** Frames above this draw from the memory ledger while they are put together. Smaller ones come in one or two chunks. */
  largeFrameBytes: 65_536,
  /** First buffer of a large frame; it doubles as bytes arrive, so that a claimed length alone costs little. */
  firstFrameBufferBytes: 131_072,
  /** Sealed bytes that wait to be written; above it `send` waits. The write queue of Octez. */
  maxQueuedBytes: 8 * 1024 * 1024,
  /** Time for a handshake from the first byte to both Acks; Octez gives 5 s, TezEdge 8 s. */
  handshakeTimeoutMillis: 8_000,
  /** How long a connection that was refused stays open so that the Nack is read before the reset. */
  nackLingerMillis: 500,
  /** How often a frame that the memory ledger refused is tried again. */
  memoryRetryMillis: 50,
  /** Highest difficulty for which an identity is looked for in the calling thread (2^16 tries: about 30 ms). */
  maxInThreadDifficulty: 16,
  /** Hashes that a search does between two looks at the clock and at whether it is to stop: about 5 to 10 ms. */
  triesPerSlice: 16_384
} as const
