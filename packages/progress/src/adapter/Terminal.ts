/** Shows a run on a terminal as a block that is repainted, or as plain lines where there is no terminal. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { progressLimits } from "../contract/Limits.ts"
import type { ProgressSnapshot } from "../contract/Snapshot.ts"
import { hideCursor, LineDiffer, showCursor } from "../engine/LineDiffer.ts"
import { renderLine, renderView, waitsKey } from "../engine/RenderView.ts"

/** What is shown, where, and how often. */
export interface ViewOptions {
  readonly snapshot: () => ProgressSnapshot
  /** Where the text goes, in apps standard error. Must not throw. */
  readonly write: (text: string) => void
}

export interface LiveViewOptions extends ViewOptions {
  readonly color: boolean
  /** Read for each paint, because windows change their size. */
  readonly size: () => { readonly columns: number; readonly rows: number }
  /** At least 100, the default. */
  readonly frameMillis?: number
}

export interface PlainLinesOptions extends ViewOptions {
  /** Between two lines while nothing changes. Default 10 s. */
  readonly intervalMillis?: number
}

/** A running view. */
export interface View {
  /** Writes whole lines above the live block, or just writes them. */
  readonly print: (text: string) => Effect.Effect<void>
}

/** Whether a view may use colour: a terminal, and `NO_COLOR` is unset or empty (https://no-color.org). */
export const wantsColor = (isTerminal: boolean, noColor: string | undefined): boolean =>
  isTerminal && (noColor === undefined || noColor === "")

const endLine = (text: string): string => text === "" || text.endsWith("\n") ? text : `${text}\n`

/**
 * Paints a block at most ten times a second until the scope closes, then paints it once more and gives the cursor back, also when the scope
 * closes by interruption.
 */
export const liveView: (options: LiveViewOptions) => Effect.Effect<View, never, Scope.Scope> = Effect.fnUntraced(
  function*(options: LiveViewOptions) {
    const differ = new LineDiffer()
    const frame = Effect.sync(() => {
      const { columns, rows } = options.size()
      // One column and one row stay free: a full last column wraps on some terminals, the cursor rests on the last row.
      const lines = renderView(options.snapshot(), { columns: columns - 1, rows: rows - 1, color: options.color })
      const text = differ.paint(lines)
      if (text !== "") options.write(text)
    })
    yield* Effect.acquireRelease(
      Effect.sync(() => options.write(hideCursor)),
      () => Effect.ensuring(frame, Effect.sync(() => options.write(showCursor)))
    )
    const frameMillis = Math.max(progressLimits.frameMillis, options.frameMillis ?? progressLimits.frameMillis)
    yield* frame.pipe(Effect.andThen(Effect.sleep(frameMillis)), Effect.forever, Effect.forkScoped)
    return {
      print: (text: string) =>
        Effect.sync(() => {
          options.write(`${differ.clear()}${endLine(text)}`)
        }).pipe(Effect.andThen(frame))
    }
  }
)

/** Writes a line at once, then whenever what the run waits for changes, at least every interval, and one at the end. */
export const plainLines: (options: PlainLinesOptions) => Effect.Effect<View, never, Scope.Scope> = Effect.fnUntraced(
  function*(options: PlainLinesOptions) {
    const intervalMillis = options.intervalMillis ?? progressLimits.plainLineMillis
    let lastMillis = Number.NEGATIVE_INFINITY
    let lastKey = ""
    let lastLine = ""
    const look = (always: boolean) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const snapshot = options.snapshot()
        const key = waitsKey(snapshot)
        if (!always && key === lastKey && now - lastMillis < intervalMillis) return
        lastKey = key
        lastMillis = now
        const line = renderLine(snapshot)
        if (always && line === lastLine) return
        lastLine = line
        options.write(`${line}\n`)
      })
    yield* Effect.acquireRelease(Effect.void, () => look(true))
    yield* look(false).pipe(
      Effect.andThen(Effect.sleep(Math.min(progressLimits.plainPollMillis, intervalMillis))),
      Effect.forever,
      Effect.forkScoped
    )
    return { print: (text: string) => Effect.sync(() => options.write(endLine(text))) }
  }
)
