/** Every bound of this package with its reason. */
export const hostLimits = {
  /** Time a plugin may take to start: above any dial or file check, far below an operator's patience. */
  startMillis: 60_000,
  /** Time a plugin has to finish what is under way, from when those that use it have; then it is given up and said so. */
  drainMillis: 30_000,
  /** Time a plugin may take to stop; then it is left behind and said so. */
  stopMillis: 10_000,
  /** Parts of one composition: a config with more is a mistake. */
  maxParts: 1_000,
  /** Changes of live settings that are kept: the events tell all of them. */
  auditEntries: 256
} as const
