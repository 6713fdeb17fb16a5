/** Every bound of this package, with its reason. */
export const Limits = {
  /** A level file holds one word of at most 17 letters; the rest is room for whitespace. Never more is read. */
  maxLevelFileBytes: 256,
  /** Where file events do not arrive (network mounts, no inotify instances left) a change is seen this late. */
  pollMillis: 5000,
  /** Changes that a slow subscriber of `LevelSource.changes` may be behind; then the oldest go, for the latest counts. */
  bufferedChanges: 64,
  /** Characters of an unknown word that are repeated in an error. */
  quotedCharacters: 40
} as const
