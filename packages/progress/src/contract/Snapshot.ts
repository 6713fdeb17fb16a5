/**
 * What a run looks like at one moment, and what happened in it. Plain JSON values: the same snapshot feeds the terminal, the JSON
 * lines, the control socket's `status` and whoever draws a dashboard.
 */
import type { Wait } from "./Wait.ts"

/** `total` may still grow while the listing of work goes on. */
export interface Amount {
  readonly done: number
  readonly total: number
  readonly totalIsGrowing: boolean
}

/** How far an estimate can be trusted; `unknown` comes with no number, and so does `over`: the run has ended or is ending, nothing is estimated. */
export type EtaConfidence = "unknown" | "low" | "medium" | "high" | "over"

/** When a run will be done, and how far to trust that. */
export interface Eta {
  /** Milliseconds from now; null when unknown or over. */
  readonly millis: number | null
  readonly confidence: EtaConfidence
  /** Why not better, e.g. `totals are still growing`. */
  readonly reason: string
}

/** One independent part of the run, e.g. a shard. */
export interface LaneSnapshot {
  readonly id: string
  /** The part's own word for where it is, e.g. `listing`, `fetching`, `done`. */
  readonly state: string
  readonly done: number
  readonly total: number
  readonly bytes: number
  readonly waitingFor?: string
}

/** One peer, as a view shows it. */
export interface PeerSnapshot {
  readonly id: string
  /** e.g. `connected`, `resting`, `down`. */
  readonly state: string
  /** While something is asked of it; not the average over the run, which is what a limit of bytes/s holds. */
  readonly bytesPerSecond: number
  /** Batches in flight. */
  readonly inFlight: number
  readonly failures: number
  readonly lastError?: string
}

/** How far a run is at one moment; times in ms since 1970, sizes in bytes. */
export interface ProgressSnapshot {
  /** e.g. `listing`, `fetching`, `verifying`; at the end `done`, or why it is not: e.g. `incomplete`, `deadline`, `stopped`, `failed`. */
  readonly phase: string
  readonly startedMillis: number
  readonly nowMillis: number
  readonly jobs: { readonly done: number; readonly total: number }
  readonly items: Amount
  readonly bytes: Amount
  readonly rates: { readonly bytesPerSecond: number; readonly itemsPerSecond: number }
  readonly eta: Eta
  readonly lanes: ReadonlyArray<LaneSnapshot>
  readonly peers: ReadonlyArray<PeerSnapshot>
  readonly waits: ReadonlyArray<Wait>
  readonly warnings: ReadonlyArray<string>
}

/** Something that happened. */
export interface RunEvent {
  /** Stable, kebab case, e.g. `batch-failed`. */
  readonly name: string
  /** Time in milliseconds. */
  readonly at: number
  /** Plain values; a bigint is written as a decimal string. */
  readonly fields: Readonly<Record<string, unknown>>
}
