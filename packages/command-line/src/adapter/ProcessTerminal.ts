/** Standard output and error of the process, and its signals. A reader that went away (EPIPE) is no error of ours. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { StopRequest, StopSignal, Terminal } from "../contract/Terminal.ts"

/** The process's own streams. */
export const processTerminal = (): Terminal => {
  let gone = false
  process.stdout.on("error", () => void (gone = true))
  process.stderr.on("error", () => undefined)
  const out = (text: string): Effect.Effect<void> =>
    Effect.callback<void>((resume) => {
      if (gone || text === "") return resume(Effect.void)
      process.stdout.write(text, () => resume(Effect.void))
    })
  const isLive = process.stderr.isTTY === true && process.env["TERM"] !== "dumb"
  return {
    out,
    error: (text) => void (text !== "" && process.stderr.write(text)),
    isLive,
    color: isLive && (process.env["NO_COLOR"] ?? "") === "",
    size: () => ({ columns: process.stderr.columns ?? 80, rows: process.stderr.rows ?? 24 })
  }
}

/**
 * A Ctrl-C reaches every process of the terminal: where a launcher stands before us (an older Node, npx) it passes the same signal
 * on a moment later. So soon nobody presses twice.
 */
const sameSignalMillis = 250

/** Listens for both signals from now on. */
export const processStop = (): { readonly request: StopRequest } => {
  const asked = Deferred.makeUnsafe<StopSignal>()
  let first: StopSignal | undefined
  let firstAtMillis = 0
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (first !== undefined) {
        if (signal === first && performance.now() - firstAtMillis < sameSignalMillis) return
        process.exit(signal === "SIGINT" ? 130 : 143)
      }
      first = signal
      firstAtMillis = performance.now()
      Deferred.doneUnsafe(asked, Effect.succeed(signal))
    })
  }
  return { request: Deferred.await(asked) }
}
