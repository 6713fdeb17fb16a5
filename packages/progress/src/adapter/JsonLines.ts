/** The machine-readable stream: events as they happen and a snapshot every interval, one JSON object a line. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { progressLimits } from "../contract/Limits.ts"
import type { ProgressSnapshot, RunEvent } from "../contract/Snapshot.ts"

/** What is written, where, and how often. */
export interface JsonLinesOptions {
  readonly snapshot: () => ProgressSnapshot
  readonly write: (text: string) => void
  /** Between two snapshots. Default 10 s. */
  readonly intervalMillis?: number
}

/** A stream of JSON lines that goes on until its scope closes. */
export interface JsonLines {
  /** Writes `{"type":"event","name":…,"at":…,"fields":{…}}`. Synchronous; keep it to one a batch. */
  readonly event: (event: RunEvent) => void
  /** As `event`, with the time of the clock. */
  readonly emit: (name: string, fields: Readonly<Record<string, unknown>>) => Effect.Effect<void>
}

/** JSON of a value in which a bigint is a decimal string and what JSON has no word for is null. One line, always valid JSON. */
export const jsonLine = (value: unknown): string => {
  const seen: Array<unknown> = []
  const text = JSON.stringify(value, function(this: unknown, _key, of: unknown) {
    if (typeof of === "bigint") return of.toString()
    if (typeof of !== "object" || of === null) return of
    // The replacer's `this` is the object that holds the key: unwinds the path to there, so that only true cycles are cut.
    while (seen.length > 0 && seen.at(-1) !== this) seen.pop()
    if (seen.includes(of)) return null
    seen.push(of)
    return of
  })
  return text === undefined ? "null" : text
}

/** Starts the stream: a snapshot at once, then every interval, and one when the scope closes. */
export const jsonLines: (options: JsonLinesOptions) => Effect.Effect<JsonLines, never, Scope.Scope> = Effect.fnUntraced(
  function*(options: JsonLinesOptions) {
    const writeSnapshot = Effect.sync(() => options.write(`${jsonLine({ type: "snapshot", ...options.snapshot() })}\n`))
    const event = (of: RunEvent): void => options.write(`${jsonLine({ type: "event", ...of })}\n`)
    yield* Effect.acquireRelease(Effect.void, () => writeSnapshot)
    yield* writeSnapshot.pipe(
      Effect.andThen(Effect.sleep(options.intervalMillis ?? progressLimits.plainLineMillis)),
      Effect.forever,
      Effect.forkScoped
    )
    return { event, emit: (name, fields) => Effect.map(Clock.currentTimeMillis, (at) => event({ name, at, fields })) }
  }
)
