/** Every bound of this package, in one place, with its reason. */

export const Limits = {
  /** Events of one run before it counts as a livelock: a second or two of real time. */
  maxEvents: 5_000_000,
  /** Bytes of one direction of a connection that are sent and not yet consumed, as with a kernel's buffers. */
  windowBytes: 256 * 1024,
  /** Turns of the real event loop that an idle simulation waits for work outside of it (a file, a thread) before it is stuck. */
  idleTurns: 200,
  /** Seeds of a test run unless `PEERSTRAP_SEEDS` says otherwise: seconds, not minutes. */
  seeds: 20
} as const
