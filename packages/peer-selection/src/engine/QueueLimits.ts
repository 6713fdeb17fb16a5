/** The bounds of the per-peer queues with their reasons, and the check of a caller's own. */
import type { QueueLimits } from "../contract/PeerQueues.ts"

const kib = 1024
const mib = 1024 * kib

/** Default bounds of `makePeerQueues`. */
export const defaultQueueLimits: QueueLimits = {
  // One being received, one on its way, one being read by the peer: more only ties work to a peer that may turn slow.
  windowBatches: 3,
  // What a batch of M3's own client holds (specs: peer streaming 3.7); replicas are known to serve it.
  maxBatchItems: 4096,
  // An answer is one Thrift struct that is held whole: three of these a peer stay small beside a ledger of 512 MiB.
  maxBatchBytes: 4 * mib,
  // Below this the round trip costs more than the bytes.
  minBatchBytes: 16 * kib,
  // About a second on a 2 Mbit/s line: an unknown slow peer does not hold much, a fast one doubles within a few batches.
  initialBatchBytes: 256 * kib,
  // Short enough to notice a change of speed, long enough to hide the round trip.
  targetBatchMillis: 500,
  // Keeps the window fed between two calls of the caller; the rest stays where any peer can take it.
  queuedBatches: 2,
  bytesPerSecond: 0,
  backoffBaseMillis: 100,
  backoffCapMillis: 5000,
  // A peer that bootstraps takes minutes; one small question in two seconds costs it nothing.
  notReadyMillis: 2000
}

const problemsOf = (limits: QueueLimits): Array<string> => {
  const problems: Array<string> = []
  for (const name of ["windowBatches", "maxBatchItems", "minBatchBytes", "queuedBatches"] as const) {
    if (!Number.isSafeInteger(limits[name]) || limits[name] < 1) {
      problems.push(`${name} must be an integer from 1, got ${limits[name]}`)
    }
  }
  for (const name of ["targetBatchMillis", "backoffBaseMillis", "backoffCapMillis", "notReadyMillis"] as const) {
    if (!(limits[name] > 0)) problems.push(`${name} must be above 0, got ${limits[name]}`)
  }
  if (!(limits.bytesPerSecond >= 0)) {
    problems.push(`bytesPerSecond must be 0 (no limit) or more, got ${limits.bytesPerSecond}`)
  }
  if (!(limits.maxBatchBytes >= limits.minBatchBytes)) {
    problems.push(`maxBatchBytes (${limits.maxBatchBytes}) must not be below minBatchBytes (${limits.minBatchBytes})`)
  }
  if (!(limits.initialBatchBytes >= 1)) {
    problems.push(`initialBatchBytes must be from 1, got ${limits.initialBatchBytes}`)
  }
  if (!(limits.backoffCapMillis >= limits.backoffBaseMillis)) {
    problems.push(
      `backoffCapMillis (${limits.backoffCapMillis}) must not be below backoffBaseMillis (${limits.backoffBaseMillis})`
    )
  }
  return problems
}

/** The defaults with the given ones over them. Throws a RangeError that lists every problem. */
export const resolveQueueLimits = (given: Partial<QueueLimits> = {}): QueueLimits => {
  const limits = { ...defaultQueueLimits, ...given }
  const problems = problemsOf(limits)
  if (problems.length > 0) throw new RangeError(`peer queue limits: ${problems.join("; ")}`)
  return limits
}
