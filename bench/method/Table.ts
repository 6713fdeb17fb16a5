/** Figures of whatever kind as rows of one table: what each benchmark prints with `--json` is read here. */
import type { BoundedLoad } from "./Bounds.ts"
import { type Difference, differenceVerdict } from "./Differences.ts"
import { type Result, verdict } from "./Report.ts"

export interface TableRow {
  readonly row: string
  readonly what: string
  readonly measured: string
  /** 95 % interval, where there is one. */
  readonly interval: string
  /** The ratio by CPU time. */
  readonly byCpu: string
  readonly pairs: string
  readonly goal: string
  readonly verdict: string
}

/** What S14 and Memory print, as far as rows are made of it. */
interface Start {
  readonly row: string
  readonly what: string
  readonly mostSeconds: number
  readonly difference: Difference
}

interface MemoryLoad {
  readonly row: string
  readonly what: string
  readonly mostBytes: number
  readonly verdict: string
  readonly runs: ReadonlyArray<{ readonly peakBytes: number; readonly seconds: number }>
}

/** One benchmark's document; it has one of the lists. */
export interface BenchDocument {
  readonly results?: ReadonlyArray<Result>
  readonly loads?: ReadonlyArray<BoundedLoad>
  readonly starts?: ReadonlyArray<Start>
  readonly memory?: ReadonlyArray<MemoryLoad>
}

const ofResult = ({ comparison: { cpu, speed }, goal, row, what }: Result): TableRow => ({
  row,
  what,
  measured: speed.ratio.toFixed(3),
  interval: `${speed.low.toFixed(3)} … ${speed.high.toFixed(3)}`,
  byCpu: cpu === undefined ? "–" : cpu.ratio.toFixed(3),
  pairs: String(speed.pairs),
  goal: goal === undefined ? "–" : `≥ ${Number(goal.toFixed(3))}`,
  verdict: goal === undefined ? "–" : verdict(speed, goal)
})

const ofLoad = ({ mostMebibytes, mostSeconds, row, runs, what }: BoundedLoad): TableRow => {
  const seconds = Math.max(...runs.map((run) => run.seconds))
  const peak = Math.max(...runs.map((run) => run.peakMebibytes))
  return {
    row,
    what,
    measured: `${seconds.toFixed(1)} s, ${peak.toFixed(0)} MiB`,
    interval: "worst run",
    byCpu: "–",
    pairs: String(runs.length),
    goal: `≤ ${mostSeconds} s, ${mostMebibytes} MiB`,
    verdict: seconds <= mostSeconds && peak <= mostMebibytes ? "met" : "missed"
  }
}

const millis = (seconds: number): string => (seconds * 1000).toFixed(0)

const ofStart = ({ difference, mostSeconds, row, what }: Start): TableRow => ({
  row,
  what: `${what}, above node -e 0`,
  measured: `${millis(difference.mean)} ms`,
  interval: `${millis(difference.low)} … ${millis(difference.high)} ms`,
  byCpu: "–",
  pairs: String(difference.pairs),
  goal: `≤ ${millis(mostSeconds)} ms`,
  verdict: differenceVerdict(difference, mostSeconds)
})

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`

const ofMemory = ({ mostBytes, row, runs, verdict: says, what }: MemoryLoad): TableRow => ({
  row,
  what,
  measured: mebibytes(Math.max(...runs.map((run) => run.peakBytes))),
  interval: "worst run",
  byCpu: "–",
  pairs: String(runs.length),
  goal: `≤ ${mebibytes(mostBytes)}`,
  verdict: says
})

export const rowsOf = (document: BenchDocument): ReadonlyArray<TableRow> => [
  ...(document.results ?? []).map(ofResult),
  ...(document.loads ?? []).map(ofLoad),
  ...(document.starts ?? []).map(ofStart),
  ...(document.memory ?? []).map(ofMemory)
]

const heading: TableRow = {
  row: "row",
  what: "case",
  measured: "measured",
  interval: "95 % interval",
  byCpu: "by CPU",
  pairs: "pairs",
  goal: "goal",
  verdict: ""
}

/** Lines of text, columns aligned. */
export const tableText = (rows: ReadonlyArray<TableRow>): string => {
  const columns = ["row", "measured", "interval", "byCpu", "pairs", "goal", "verdict", "what"] as const
  const lines = [heading, ...rows]
  const widths = columns.map((column) => Math.max(...lines.map((line) => line[column].length)))
  return lines.map((line) => columns.map((column, at) => line[column].padEnd(widths[at]!)).join("  ").trimEnd()).join(
    "\n"
  )
}
