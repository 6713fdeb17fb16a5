/** What a command writes to and hears of: standard output and error, and the wish to stop. */
import type * as Effect from "effect/Effect"

/** A signal that asks a program to stop. */
export type StopSignal = "SIGINT" | "SIGTERM"

/** Completes at the first SIGINT or SIGTERM. The second one ends the process at once, without asking anybody. */
export type StopRequest = Effect.Effect<StopSignal>

/** Standard output and error. */
export interface Terminal {
  /** Writes results; waits while the reader is slow. After the reader has gone, writes go nowhere. */
  readonly out: (text: string) => Effect.Effect<void>
  /** Writes progress and messages. Never throws, never waits. */
  readonly error: (text: string) => void
  /** Standard error is a terminal: a live view may be painted. */
  readonly isLive: boolean
  /** Whether colours are welcome on standard error. */
  readonly color: boolean
  /** Size of the terminal at this moment. */
  readonly size: () => { readonly columns: number; readonly rows: number }
}
