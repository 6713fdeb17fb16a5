/** Bounds of a config file: it is read whole, and twice where it names plugins. Enough for any that a person writes, a second's work at most. */
export const configLimits = {
  /** Bytes of the file. */
  maxConfigBytes: 1024 * 1024,
  /** Words and signs of its YAML, of which a line `key: value` has eight; also the values when every alias is written out. */
  maxConfigTokens: 100_000,
  /** Maps and lists inside each other, in the text and when every alias is written out. */
  maxConfigDepth: 64
} as const
