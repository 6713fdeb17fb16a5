/**
 * Says on standard error how far a long command is: one line repainted on a terminal, a line now and then elsewhere, JSON lines with
 * `--json`. Commands that end soon say nothing.
 */
import { jsonLine } from "@peerstrap/progress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Terminal } from "../contract/Terminal.ts"

/** Before this nothing is said; and the pause between two lines. */
const repaintMillis = 500
const plainLineMillis = 10_000

/** One line about a long command. */
export interface StatusLine {
  /** `text` is asked for only when it is shown. Never throws. */
  readonly update: (text: () => string) => void
  /** A message that stays, for a person; `fields` is what the JSON line holds. */
  readonly say: (text: string, fields: Readonly<Record<string, unknown>>) => void
}

/** The line on the terminal is cleared when the scope ends. */
export const makeStatusLine = Effect.fnUntraced(function*(terminal: Terminal, json: boolean) {
  const live = terminal.isLive && !json
  let painted = false
  const clock = yield* Clock.Clock
  let lastMillis = clock.currentTimeMillisUnsafe()
  const clear = (): void => {
    if (painted) terminal.error("\r\x1b[K")
    painted = false
  }
  yield* Effect.addFinalizer(() => Effect.sync(clear))
  const status: StatusLine = {
    update: (text) => {
      const nowMillis = clock.currentTimeMillisUnsafe()
      if (nowMillis - lastMillis < (live ? repaintMillis : plainLineMillis)) return
      lastMillis = nowMillis
      if (!live) return terminal.error(json ? `${jsonLine({ type: "status", text: text() })}\n` : `${text()}\n`)
      terminal.error(`\r\x1b[K${text().slice(0, Math.max(1, terminal.size().columns - 1))}`)
      painted = true
    },
    say: (text, fields) => {
      clear()
      terminal.error(json ? `${jsonLine(fields)}\n` : `${text}\n`)
    }
  }
  return status
})
