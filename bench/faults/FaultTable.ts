/** What the rounds of each fault came to, as a table for people or one JSON document. */
import { type Machine, machineLine } from "../method/Machine.ts"
import { median } from "../method/Statistics.ts"
import type { FaultRow } from "./Rows.ts"

/** One run of a fault beside the healthy run before or after it. */
export interface FaultPair {
  readonly healthyRunSeconds: number
  readonly healthyWallSeconds: number
  readonly runSeconds: number
  readonly wallSeconds: number
  /** Undefined: as it should be. */
  readonly problem: string | undefined
}

export interface FaultResult {
  readonly row: FaultRow
  readonly pairs: ReadonlyArray<FaultPair>
}

interface Range {
  readonly median: number
  readonly low: number
  readonly high: number
}

const rangeOf = (values: ReadonlyArray<number>): Range => ({
  median: median(values),
  low: Math.min(...values),
  high: Math.max(...values)
})

const text = ({ high, low, median: middle }: Range, digits = 2): string =>
  `${middle.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`

const ratiosOf = (pairs: ReadonlyArray<FaultPair>): Range =>
  rangeOf(pairs.map(({ healthyRunSeconds, runSeconds }) => runSeconds / healthyRunSeconds))

const isInTime = ({ pairs, row }: FaultResult): boolean => {
  if (row.mostRatio !== undefined && ratiosOf(pairs).median > row.mostRatio) return false
  const extra = rangeOf(pairs.map(({ healthyRunSeconds, runSeconds }) => runSeconds - healthyRunSeconds)).median
  return row.mostExtraSeconds === undefined || extra <= row.mostExtraSeconds
}

const problemsOf = ({ pairs }: FaultResult): ReadonlyArray<string> => [
  ...new Set(pairs.flatMap(({ problem }) => problem === undefined ? [] : [problem]))
]

const verdictOf = (result: FaultResult): string => {
  const problems = problemsOf(result)
  if (problems.length > 0) return `MISSED: ${problems.join("; ")}`
  return isInTime(result) ? "met" : "MISSED: too slow"
}

const summaryOf = (result: FaultResult) => ({
  id: result.row.id,
  fault: result.row.fault,
  goClient: result.row.goClient,
  bar: result.row.bar,
  verdict: verdictOf(result),
  runSeconds: rangeOf(result.pairs.map(({ runSeconds }) => runSeconds)),
  wallSeconds: rangeOf(result.pairs.map(({ wallSeconds }) => wallSeconds)),
  ratio: result.row.isOtherWork === true ? undefined : ratiosOf(result.pairs),
  pairs: result.pairs
})

export interface FaultReport {
  readonly machine: Machine
  /** Who served. */
  readonly replicas: string
  readonly results: ReadonlyArray<FaultResult>
}

export const printFaults = ({ machine, replicas, results }: FaultReport, json: boolean): void => {
  const rows = results.map(summaryOf)
  if (json) {
    console.log(JSON.stringify({ measuredAt: new Date().toISOString(), machine, replicas, rows }))
    return
  }
  const healthy = results.flatMap(({ pairs }) => pairs)
  console.log(machineLine(machine))
  console.log(`${replicas}; median (least–most) of ${results[0]?.pairs.length ?? 0} pairs with a healthy run each`)
  console.log(
    `healthy: run ${text(rangeOf(healthy.map(({ healthyRunSeconds }) => healthyRunSeconds)))} s, ` +
      `process ${text(rangeOf(healthy.map(({ healthyWallSeconds }) => healthyWallSeconds)))} s\n`
  )
  console.log("| fault | M3's Go client | run, s | × healthy | process, s | bar | |")
  console.log("| --- | --- | --- | --- | --- | --- | --- |")
  for (const { bar, fault, goClient, ratio, runSeconds, verdict, wallSeconds } of rows) {
    console.log(
      `| ${fault} | ${goClient} | ${text(runSeconds)} | ${ratio === undefined ? "–" : text(ratio)} | ${
        text(wallSeconds)
      } | ${bar} | ${verdict} |`
    )
  }
}
