import type { ProgressSnapshot } from "@peerstrap/progress"

/** A snapshot in the middle of a run. */
export const sampleSnapshot = (change: Partial<ProgressSnapshot> = {}): ProgressSnapshot => ({
  phase: "fetching",
  startedMillis: 0,
  nowMillis: 12_000,
  jobs: { done: 3, total: 8 },
  items: { done: 6000, total: 12_642, totalIsGrowing: false },
  bytes: { done: 5 * 1024 ** 2, total: 10 * 1024 ** 2, totalIsGrowing: true },
  rates: { bytesPerSecond: 1024 ** 2, itemsPerSecond: 500 },
  eta: { millis: 5000, confidence: "low", reason: "totals are still growing" },
  lanes: [
    { id: "shard 1", state: "done", done: 10, total: 10, bytes: 100 },
    { id: "shard 3", state: "listing", done: 0, total: 0, bytes: 0, waitingFor: "metadata from peer C" }
  ],
  peers: [
    { id: "A", state: "connected", bytesPerSecond: 1024 ** 2, inFlight: 2, failures: 0 },
    { id: "C", state: "down", bytesPerSecond: 0, inFlight: 0, failures: 7, lastError: "connection refused" }
  ],
  waits: [],
  warnings: [],
  ...change
})
