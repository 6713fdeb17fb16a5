/** Prints S13: for each number of shards at a time both sides, and the ratios of wall time, CPU time and peak memory with their goals. */
import { type Machine, machineLine } from "../method/Machine.ts"
import { ratioText, verdict } from "../method/Report.ts"
import { median, type Ratio, ratioOfPairs } from "../method/Statistics.ts"
import type { OutsideMeasured } from "./Outside.ts"

export interface ClientsResult {
  /** Shards at a time. */
  readonly parallel: number
  readonly ours: ReadonlyArray<OutsideMeasured>
  readonly rival: ReadonlyArray<OutsideMeasured> | undefined
}

export interface ClientsData {
  readonly series: number
  readonly points: number
  readonly shards: number
  readonly blocks: number
  readonly bytes: number
}

type Figure = "seconds" | "cpuSeconds" | "peakMebibytes"

/** The rival's figure over ours: above 1 is better. Memory at most half of the rival's is a ratio of 2. */
const goalsOf = (parallel: number): Readonly<Record<Figure, number>> => ({
  seconds: parallel === 1 ? 2 : 1.2,
  cpuSeconds: 1,
  peakMebibytes: 2
})

const names: Readonly<Record<Figure, string>> = {
  seconds: "wall time",
  cpuSeconds: "CPU",
  peakMebibytes: "peak memory"
}

const ratioOf = (figure: Figure, { ours, rival = [] }: ClientsResult): Ratio =>
  ratioOfPairs(ours.map((run, round) => [rival[round]![figure], run[figure]] as const))

const figures = ["seconds", "cpuSeconds", "peakMebibytes"] as const

const sideLine = (name: string, runs: ReadonlyArray<OutsideMeasured>): string => {
  const middle = (figure: keyof OutsideMeasured) => median(runs.map((run) => run[figure]))
  const seconds = runs.map((run) => run.seconds)
  const spread = `(${Math.min(...seconds).toFixed(2)}–${Math.max(...seconds).toFixed(2)})`
  return `  ${name.padEnd(6)} ${middle("seconds").toFixed(2)} s ${spread}  CPU ${middle("cpuSeconds").toFixed(2)} s  ` +
    `peak ${middle("peakMebibytes").toFixed(0)} MiB  ${
      (middle("items") / middle("seconds") / 1e3).toFixed(1)
    } k blocks/s  ` +
    `${(middle("bytes") / middle("seconds") / 1e6).toFixed(1)} MB/s`
}

export const printClients = (
  measuredOn: Machine,
  data: ClientsData,
  results: ReadonlyArray<ClientsResult>,
  json: boolean
): void => {
  if (json) {
    const withRatios = results.map((result) => ({
      row: "S13",
      ...result,
      ratios: result.rival === undefined
        ? undefined
        : figures.map((figure) => ({ figure, goal: goalsOf(result.parallel)[figure], ...ratioOf(figure, result) }))
    }))
    console.log(
      JSON.stringify({ measuredAt: new Date().toISOString(), machine: measuredOn, data, results: withRatios })
    )
    return
  }
  console.log(machineLine(measuredOn))
  console.log(
    `${data.series} series, 1 block, ${data.points} points each, ${data.shards} shards on three real nodes; ` +
      `${(data.bytes / 1e6).toFixed(1)} MB of streams a replica; whole processes, median of ${
        results[0]?.ours.length
      } runs`
  )
  for (const result of results) {
    console.log(`\nS13  ${result.parallel} shard${result.parallel === 1 ? "" : "s"} at a time`)
    console.log(sideLine("ours", result.ours))
    if (result.rival === undefined) continue
    console.log(sideLine("rival", result.rival))
    const goals = goalsOf(result.parallel)
    for (const figure of figures) {
      const ratio = ratioOf(figure, result)
      console.log(
        `  ${names[figure]}: the rival's ÷ ours ${ratioText(ratio)} (95 % interval, ${ratio.pairs} pairs), ` +
          `goal ${goals[figure].toFixed(2)}: ${verdict(ratio, goals[figure])}`
      )
    }
  }
}
