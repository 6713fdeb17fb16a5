/** Prints comparisons: lines for people, or one JSON document with every run (`--json`). */
import type { Machine } from "./Machine.ts"
import { machineLine } from "./Machine.ts"
import type { Comparison, Summary } from "./Pairs.ts"
import type { Ratio } from "./Statistics.ts"

export interface Result {
  /** Row of the goals, such as `S1`. */
  readonly row: string
  readonly what: string
  /** Least ratio wanted; absent when the row has no goal for this case. */
  readonly goal?: number | undefined
  readonly comparison: Comparison
}

export const ratioText = ({ high, low, ratio }: Ratio): string =>
  `${ratio.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`

const rate = (perSecond: number): string =>
  perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(2)} M/s` : `${(perSecond / 1e3).toFixed(1)} k/s`

const time = (seconds: number): string =>
  (seconds >= 0.1 ? `${seconds.toFixed(3)} s` : `${(seconds * 1e6).toFixed(1)} µs`).padStart(12)

const summaryLine = ({ cpuSeconds, itemsPerSecond, megabytesPerSecond, name, seconds }: Summary): string =>
  `  ${name.padEnd(30)} ${time(seconds)}${Number.isNaN(cpuSeconds) ? "" : `  CPU ${time(cpuSeconds).trim()}`}` +
  `  ${megabytesPerSecond.toFixed(0).padStart(6)} MB/s  ${rate(itemsPerSecond)}`

/** Met when the whole interval is above the goal, missed when it is below it. */
export const verdict = ({ high, low }: Ratio, goal: number): string =>
  low >= goal ? "met" : high < goal ? "missed" : "not decided by these pairs"

export const print = (machine: Machine, results: ReadonlyArray<Result>, json: boolean): void => {
  if (json) {
    console.log(JSON.stringify({ measuredAt: new Date().toISOString(), machine, results }))
    return
  }
  console.log(machineLine(machine))
  for (const { comparison, goal, row, what } of results) {
    const { cpu, ours, rival, speed } = comparison
    console.log(`\n${row}  ${what}`)
    console.log(summaryLine(ours))
    console.log(summaryLine(rival))
    const wanted = goal === undefined ? "" : `, goal ${goal.toFixed(2)}: ${verdict(speed, goal)}`
    const byCpu = cpu === undefined ? "" : `; by CPU time ${ratioText(cpu)}`
    console.log(`  ratio ${ratioText(speed)} (95 % interval, ${speed.pairs} pairs)${wanted}${byCpu}`)
  }
}
