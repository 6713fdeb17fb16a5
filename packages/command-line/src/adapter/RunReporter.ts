/**
 * Where the progress of a run goes, always standard error: a live view on a terminal, plain lines elsewhere, JSON lines with
 * `--json`. A run that does not move says why every 10 s, unless the live view shows it anyway.
 */
import {
  formatDuration,
  jsonLines,
  liveView,
  plainLines,
  type ProgressSnapshot,
  StallDetector,
  type View,
  type Wait,
  whyJson
} from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type { Terminal } from "../contract/Terminal.ts"

type Fields = Readonly<Record<string, unknown>>

/** Tells people and programs how a run goes. */
export interface Reporter {
  /** Text for a person; with `--json` an event `message`. */
  readonly say: (text: string) => void
  /** Something that happened. A person reads `text`, or what the options' `spoken` says of it; without either it is only in the JSON lines. */
  readonly event: (name: string, fields: Fields, text?: string) => void
}

/** What a run shows of itself. */
export interface RunProgress {
  readonly startedMillis: number
  /** Whether there is anything to show yet. */
  readonly hasNews: boolean
  /** Feeds the run's meters. Returns a number that changes whenever anything moves. */
  observe(): number
  waits(): ReadonlyArray<Wait>
  snapshot(): ProgressSnapshot
  /** For people, when it says more than `snapshot`. */
  shown?(): ProgressSnapshot
}

/** What is told, where, and in which form. */
export interface ReportingOptions {
  readonly terminal: Terminal
  readonly json: boolean
  readonly state: RunProgress
  /** `whyTextOf(program)`. */
  readonly whyText: (waits: ReadonlyArray<Wait>, nowMillis: number) => string
  /** What a person reads of an event that was told without a text. */
  readonly spoken?: Readonly<Record<string, (fields: Fields) => string>>
  /** Nothing is said of a run that stands still while nothing waits: it may rest, as a chain that is synced does. */
  readonly mayRest?: boolean
}

const sampleMillis = 250
const sayWhyMillis = 10_000

const forPeople = (spoken: ReportingOptions["spoken"], print: (text: string) => void): Reporter => ({
  say: print,
  event: (name, fields, text = spoken?.[name]?.(fields)) => {
    if (text !== undefined) print(text)
  }
})

/** Lives as long as the scope; its last picture is the final state. */
export const makeReporter = Effect.fnUntraced(
  function*({ json, spoken, state, terminal }: ReportingOptions): Effect.fn.Return<Reporter, never, Scope.Scope> {
    if (json) {
      const lines = yield* jsonLines({ snapshot: () => state.snapshot(), write: terminal.error })
      const event: Reporter["event"] = (name, fields) => lines.event({ name, at: state.snapshot().nowMillis, fields })
      return { say: (text) => event("message", { text }), event }
    }
    const base = { snapshot: () => state.shown?.() ?? state.snapshot(), write: terminal.error }
    if (!terminal.isLive) {
      yield* plainLines({ ...base, write: (text) => state.hasNews ? terminal.error(text) : undefined })
      return forPeople(spoken, (text) => terminal.error(text.endsWith("\n") ? text : `${text}\n`))
    }
    const view: View = yield* liveView({ ...base, color: terminal.color, size: terminal.size })
    const print = Effect.runSyncWith(yield* Effect.context())
    return forPeople(spoken, (text) => print(view.print(text)))
  }
)

/** Feeds the meters and, where nobody watches a view, says why nothing moves. Runs until it is interrupted. */
export const watchRun = (reporter: Reporter, options: ReportingOptions): Effect.Effect<never> =>
  Effect.suspend(() => {
    const { json, mayRest, state, terminal, whyText } = options
    const stall = new StallDetector(state.startedMillis, sayWhyMillis)
    let saidMillis = Number.NEGATIVE_INFINITY
    const look = Effect.sync(() => {
      const moved = state.observe()
      const waits = state.waits()
      const { nowMillis } = state.snapshot()
      stall.observe(moved, nowMillis)
      if (mayRest === true && waits.length === 0) return
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

/** What a library logged. */
export interface LogEntry {
  readonly level: string
  readonly text: string
  /** With its level, when it is for people: a warning, an error, or what is below `Info` and was asked for. */
  readonly spoken: string | undefined
}

const isInfo = (level: string): boolean => level !== "Debug" && level !== "Trace"

/**
 * Takes over what libraries log: standard output is for results. `isLogged` says of a level of Effect's logger (`Debug`, `Info`, …) whether
 * entries of it are told; default: from `Info` on.
 */
export const logsTo = (tell: (entry: LogEntry) => void, isLogged: (level: string) => boolean = isInfo) =>
  Layer.merge(
    Logger.layer([
      Logger.make<unknown, void>(({ logLevel, message }) => {
        if (!isLogged(logLevel)) return
        const text = Array.isArray(message) ? message.join(" ") : String(message)
        // What is told at Info is for machines; what is below it was asked for.
        const matters = logLevel !== "Info"
        tell({ level: logLevel, text, spoken: matters ? `${logLevel.toLowerCase()}: ${text}` : undefined })
      })
    ]),
    Layer.succeed(References.MinimumLogLevel, "All")
  )
