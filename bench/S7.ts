/**
 * S7: header DAG, insert + support + quorum after every report of 32 peers, beside a plain `Map` that the same hashes are set in, with and
 * without the making of its keys.
 * Usage: npm run bench -- S7 [--pairs 12] [--json]
 */
import type { Order } from "./dag/Reports.ts"
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print, type Result } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"

const headers = 100_000
const options = benchOptions({ blockBytes: [] })
const measuredOn = machine()
const results: Array<Result> = []
const orders: Record<Order, string> = {
  window: "shuffled within 1,000 headers",
  whole: "one random order of all reports"
}

for (const order of ["window", "whole"] as const) {
  const side = (file: string, ...more: ReadonlyArray<string>) => () =>
    runSide(new URL(`dag/${file}`, import.meta.url), [String(headers), order, ...more])
  const [ours, bytes, ready] = await runRounds(
    [
      { name: "DAG", run: side("DagSide.ts") },
      { name: "map", run: side("MapSide.ts", "bytes") },
      { name: "map, keys made before", run: side("MapSide.ts", "ready") }
    ],
    options.pairs,
    (round) => progress(`${order}: round ${round + 1} of ${options.pairs}`)
  )
  const what = `${headers} headers × 32 peers, ${orders[order]}`
  const dag = { name: "DAG with quorum", runs: ours! }
  results.push(
    { row: "S7", what, goal: 0.25, comparison: compare(dag, { name: "map, key made of the bytes", runs: bytes! }) },
    { row: "S7", what, goal: 0.25, comparison: compare(dag, { name: "map, keys made before", runs: ready! }) }
  )
}

print(measuredOn, results, options.json)
