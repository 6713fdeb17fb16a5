/** Every bound of this package with its reason. */
export const hostLimits = {
  /** Time a plugin may take to start: above any dial or file check, far below an operator's patience. */
  startMillis: 60_000,
  /** Time for all plugins together to finish what is under way. */
  drainMillis: 30_000,
  /** Time a plugin may take to stop; then it is left behind and said so. */
  stopMillis: 10_000,
  /** Parts of one composition: a config with more is a mistake. */
  maxParts: 1_000,
  /** Changes of live settings that are kept: the events tell all of them. */
  auditEntries: 256,
  /** Bytes of a config text, which is read whole: far above any that a person writes. */
  maxConfigBytes: 1024 * 1024
} as const
