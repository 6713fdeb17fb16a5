/** Standard output and error of the process. A reader that went away (EPIPE) is no error of ours. */
import * as Effect from "effect/Effect"

export interface Terminal {
  /** Results; completes when they have left. After the reader has gone, writes go nowhere. */
  readonly out: (text: string) => Effect.Effect<void>
  /** Progress and messages. Never throws, never waits. */
  readonly error: (text: string) => void
}

export const processTerminal = (): Terminal => {
  let gone = false
  process.stdout.on("error", () => void (gone = true))
  process.stderr.on("error", () => undefined)
  return {
    out: (text) =>
      Effect.callback<void>((resume) => {
        if (gone || text === "") return resume(Effect.void)
        process.stdout.write(text, () => resume(Effect.void))
      }),
    error: (text) => void (text !== "" && process.stderr.write(text))
  }
}
