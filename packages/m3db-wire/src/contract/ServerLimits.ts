/** Every bound of the node server with its reason. Options that change one are named like the bound. */
export const ServerLimits = {
  /** M3's own client opens up to 32 connections a host; a cluster of 30 clients still fits. More are closed at once. */
  maxConnections: 1_024,
  /** Calls of one connection that are read or answered at the same time; above it a call is refused with a busy frame. */
  maxCallsPerConnection: 256,
  /** Bytes of requests that one connection may have open, read or being answered: bounds the memory a peer can claim. */
  maxOpenRequestBytes: 32 * 1024 * 1024,
  /** Answers to pings and refusals that wait for a peer that does not read; above it the connection is closed. */
  maxPendingReplies: 1_024,
  /** Bytes of answers of all connections that wait to be sent; above it a call is refused with a busy frame. Four of the largest. */
  maxHeldAnswerBytes: 256 * 1024 * 1024,
  /** Frames of an answer that are handed to the connection at a time: about 1 MiB, then it waits until they are drained. */
  framesPerWrite: 16
} as const
