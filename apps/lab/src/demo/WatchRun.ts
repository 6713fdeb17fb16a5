/**
 * Follows a running program over its control socket: feeds a view on standard error, and when nothing moves says why, and how the run
 * can be ended.
 */
import type { Terminal } from "@peerstrap/command-line"
import {
  formatDuration,
  formatWhy,
  liveView,
  mergeWaits,
  plainLines,
  type ProgressSnapshot,
  request,
  shellWord,
  StallDetector,
  type View,
  type Wait
} from "@peerstrap/progress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

const pollMillis = 250
const answerMillis = 2_000
/** Without progress for so long the run is said to wait; again each time after as long as `repeatMillis`. */
const quietMillis = 4_000
const repeatMillis = 30_000
/** Waits spelled out. */
const shownWaits = 3

const nothingYet = (nowMillis: number): ProgressSnapshot => ({
  phase: "starting",
  startedMillis: nowMillis,
  nowMillis,
  jobs: { done: 0, total: 0 },
  items: { done: 0, total: 0, totalIsGrowing: true },
  bytes: { done: 0, total: 0, totalIsGrowing: true },
  rates: { bytesPerSecond: 0, itemsPerSecond: 0 },
  eta: { millis: null, confidence: "unknown", reason: "the program is starting" },
  lanes: [],
  peers: [],
  waits: [],
  warnings: []
})

/** Which program is watched. */
export interface Watched {
  /** As people type it, e.g. `peerstrap-m3db`. */
  readonly program: string
  readonly control: string
  /** How a run that waits for peers can be ended, a sentence. */
  readonly ending: string
}

/** A command for its control socket. */
export const controlCommand = (program: string, command: string, control: string): string =>
  `npx ${program} ${command} --control ${shellWord(control)}`

export const waitingText = (
  waits: ReadonlyArray<Wait>,
  nowMillis: number,
  forMillis: number,
  { control, ending, program }: Watched
): string => {
  // What a level asks for comes first: the rest mends itself, or follows from it.
  const merged = mergeWaits(waits).toSorted((a, b) => Number(a.level === undefined) - Number(b.level === undefined))
  const more = merged.length - shownWaits
  return [
    `no progress for ${formatDuration(forMillis)}:`,
    formatWhy(merged.slice(0, shownWaits), nowMillis).trimEnd(),
    ...(more > 0 ? [`and ${more} more: ${controlCommand(program, "why", control)}`] : []),
    ending,
    ""
  ].join("\n")
}

/** A status without these is not that of a bootstrap. */
const isSnapshot = (value: unknown): value is ProgressSnapshot =>
  typeof value === "object" && value !== null && "items" in value && "waits" in value && Array.isArray(value.waits)

const startView = (terminal: Terminal, snapshot: () => ProgressSnapshot) => {
  const base = { snapshot, write: terminal.error }
  return terminal.isLive ? liveView({ ...base, color: terminal.color, size: terminal.size }) : plainLines(base)
}

export interface Watch {
  /** A line for people, above a live view if there is one. */
  readonly say: (text: string) => Effect.Effect<void>
}

/** Watches until the scope closes. */
export const watchRun = Effect.fnUntraced(function*(terminal: Terminal, watched: Watched) {
  const started = yield* Clock.currentTimeMillis
  let latest = nothingYet(started)
  const view: View = yield* startView(terminal, () => latest)
  const stall = new StallDetector(started, quietMillis)
  let saidMillis = Number.NEGATIVE_INFINITY
  const look = Effect.fnUntraced(function*() {
    const answer = yield* Effect.result(request(watched.control, "status", {}, answerMillis))
    // There is no socket before the program has started and after it is done.
    if (answer._tag === "Failure" || !isSnapshot(answer.success)) return
    latest = answer.success
    const { bytes, items, jobs, nowMillis, waits } = latest
    if (stall.observe(bytes.done + items.done + items.total + jobs.done, nowMillis)) {
      saidMillis = Number.NEGATIVE_INFINITY
    }
    const stalled = stall.check(nowMillis, waits)
    if (stalled === undefined || waits.length === 0 || nowMillis - saidMillis < repeatMillis) return
    saidMillis = nowMillis
    yield* view.print(waitingText(waits, nowMillis, stalled.forMillis, watched))
  })
  yield* look().pipe(Effect.andThen(Effect.sleep(pollMillis)), Effect.forever, Effect.forkScoped)
  return { say: view.print } satisfies Watch
})
