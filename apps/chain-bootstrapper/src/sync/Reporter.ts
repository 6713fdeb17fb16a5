/**
 * Where the progress of a run goes, always standard error: a live view on a terminal, plain lines elsewhere, JSON lines with
 * `--json`. A run that does not move says why every 10 s, unless the live view shows it anyway.
 */
import type { Terminal } from "@peerstrap/command-line"
import { formatDuration, jsonLines, liveView, plainLines, StallDetector, type View, whyJson } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type { RunState } from "./RunState.ts"
import { whyText } from "./WhyText.ts"

export interface Reporter {
  /** Text for a person; with `--json` an event `message`. */
  readonly say: (text: string) => void
  /** Something that happened; `text` when a person wants to read it, too. */
  readonly event: (name: string, fields: Readonly<Record<string, unknown>>, text?: string) => void
}

const sampleMillis = 250
const sayWhyMillis = 10_000

interface ReporterOptions {
  readonly terminal: Terminal
  readonly json: boolean
  readonly state: RunState
}

const spokenReporter = (print: (text: string) => void): Reporter => ({
  say: print,
  event: (_name, _fields, text) => {
    if (text !== undefined) print(text)
  }
})

/** Lives as long as the scope; its last picture is the final state. */
export const makeReporter = Effect.fnUntraced(function*({ json, state, terminal }: ReporterOptions) {
  if (json) {
    const lines = yield* jsonLines({ snapshot: () => state.snapshot(), write: terminal.error })
    const event: Reporter["event"] = (name, fields) => lines.event({ name, at: state.snapshot().nowMillis, fields })
    return { say: (text: string) => event("message", { text }), event } satisfies Reporter
  }
  const base = { snapshot: () => state.shown(), write: terminal.error }
  if (!terminal.isLive) {
    yield* plainLines({ ...base, write: (text) => state.hasNews ? terminal.error(text) : undefined })
    return spokenReporter((text) => terminal.error(text.endsWith("\n") ? text : `${text}\n`))
  }
  const view: View = yield* liveView({ ...base, color: terminal.color, size: terminal.size })
  const print = Effect.runSyncWith(yield* Effect.context())
  return spokenReporter((text) => print(view.print(text)))
})

/** Feeds the meters and, where nobody watches a view, says why nothing moves. Runs until it is interrupted. */
export const watchRun = (reporter: Reporter, { json, state, terminal }: ReporterOptions): Effect.Effect<never> =>
  Effect.suspend(() => {
    const stall = new StallDetector(state.startedMillis, sayWhyMillis)
    let saidMillis = Number.NEGATIVE_INFINITY
    const look = Effect.sync(() => {
      const moved = state.observe()
      const waits = state.waits()
      const { nowMillis } = state.snapshot()
      stall.observe(moved, nowMillis)
      // A chain that is synced moves once a block: nothing is wrong with that, and nothing waits then.
      if (waits.length === 0) return
      const stalled = stall.check(nowMillis, waits)
      if (stalled === undefined || nowMillis - saidMillis < sayWhyMillis) return
      saidMillis = nowMillis
      if (json) reporter.event("stalled", { ...whyJson(waits, nowMillis), forMillis: stalled.forMillis })
      else if (!terminal.isLive) {
        reporter.say(`no progress for ${formatDuration(stalled.forMillis)}\n${whyText(waits, nowMillis)}`)
      }
    })
    return look.pipe(Effect.andThen(Effect.sleep(sampleMillis)), Effect.forever)
  })

/** What libraries log goes where progress goes: standard output is for results. Only warnings and errors are for people. */
export const logsTo = (reporter: Reporter) =>
  Logger.layer([
    Logger.make<unknown, void>(({ logLevel, message }) => {
      const text = Array.isArray(message) ? message.join(" ") : String(message)
      const matters = logLevel === "Warn" || logLevel === "Error" || logLevel === "Fatal"
      reporter.event("log", { level: logLevel, text }, matters ? `${logLevel.toLowerCase()}: ${text}` : undefined)
    })
  ])
