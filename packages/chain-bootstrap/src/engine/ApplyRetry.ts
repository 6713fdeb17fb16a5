/** When a block that the applier could not take for a reason that may pass is tried again: later each time, up to a bound (A35). */
import type { SyncTimers } from "../contract/ChainSync.ts"

/** Milliseconds to wait after so many failures in a row, the first one being 1. */
export const applyRetryMillis = (
  { applyRetry, applyRetryLongest }: Pick<SyncTimers, "applyRetry" | "applyRetryLongest">,
  failures: number
): number => Math.min(applyRetryLongest, applyRetry * 2 ** Math.min(failures - 1, 30))
