/** Every bound of a program's process with its reason. */
export const commandLineLimits = {
  /** Text for standard error that its reader has not taken: from then on views and messages are dropped, and counted. Hours of snapshots. */
  maxErrorBacklogBytes: 4 * 1024 * 1024,
  /** The end of the process waits so long for the reader of standard error to take what was said. */
  lastWordsMillis: 30_000
} as const
