/** What a command writes to and hears of: standard output and error, and the wish to stop. */
import type * as Effect from "effect/Effect"
import type { CommandError } from "./ExitCode.ts"

/** A signal that asks a program to stop. */
export type StopSignal = "SIGINT" | "SIGTERM"

/** Completes at the first SIGINT or SIGTERM. The second one ends the process at once, without asking anybody. */
export type StopRequest = Effect.Effect<StopSignal>

/** Standard output and error. */
export interface Terminal {
  /**
   * Writes results; waits while the reader is slow. After the reader has gone, writes go nowhere. One that fails otherwise (no space) never returns:
   * `broken` ends the program.
   */
  readonly out: (text: string) => Effect.Effect<void>
  /** Completes when results could not be written, with how the program ends then. Absent: that cannot happen. */
  readonly broken?: Effect.Effect<CommandError>
  /**
   * Writes progress and messages. Never throws, never waits: what a reader that is too slow leaves no room for is dropped, unless it is what the
   * program ends with (`isLast`).
   */
  readonly error: (text: string, isLast?: boolean) => void
  /** How many texts `error` dropped. Absent: none. */
  readonly numDropped?: () => number
  /** Standard error is a terminal: a live view may be painted. */
  readonly isLive: boolean
  /** Whether colours are welcome on standard error. */
  readonly color: boolean
  /** Size of the terminal at this moment. */
  readonly size: () => { readonly columns: number; readonly rows: number }
}
