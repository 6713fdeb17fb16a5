/** Standard output and error of the process. A reader that went away (EPIPE) is no error of ours. */
import * as Effect from "effect/Effect"

export interface Terminal {
  /** Results; completes when they have left. After the reader has gone, writes go nowhere. */
  readonly out: (text: string) => Effect.Effect<void>
  /** Progress and messages. Never throws, never waits. */
  readonly error: (text: string) => void
  /** Standard error is a terminal: a live view may be painted. */
  readonly isLive: boolean
  readonly color: boolean
  readonly size: () => { readonly columns: number; readonly rows: number }
}

export const processTerminal = (): Terminal => {
  let gone = false
  process.stdout.on("error", () => void (gone = true))
  process.stderr.on("error", () => undefined)
  const isLive = process.stderr.isTTY === true && process.env["TERM"] !== "dumb"
  return {
    out: (text) =>
      Effect.callback<void>((resume) => {
        if (gone || text === "") return resume(Effect.void)
        process.stdout.write(text, () => resume(Effect.void))
      }),
    error: (text) => void (text !== "" && process.stderr.write(text)),
    isLive,
    color: isLive && (process.env["NO_COLOR"] ?? "") === "",
    size: () => ({ columns: process.stderr.columns ?? 80, rows: process.stderr.rows ?? 24 })
  }
}
