/**
 * L2: a million headers of 64 peers with 5 % forks, in time and memory; on the header DAG with quorum, evidence and pruning.
 * Usage: npm run bench -- L2 [--pairs 3 (runs of each)] [--json]
 */
import type { Load } from "./load/Load.ts"
import { type BoundedLoad, printLoads, runLoad } from "./method/Bounds.ts"
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"

const headers = 1_000_000
const bounds = { mostSeconds: 60, mostMebibytes: 300 }
const options = benchOptions({ blockBytes: [], pairs: 3 })
const measuredOn = machine()
const loads: Array<BoundedLoad> = []

const cases = [
  { what: "header DAG, headers from the head down", script: "load/DagLoad.ts", args: ["descent"] },
  { what: "header DAG, shuffled within 100,000", script: "load/DagLoad.ts", args: ["window"] },
  { what: "header DAG, in one random order", script: "load/DagLoad.ts", args: ["whole"] }
]
for (const { args, script, what } of cases) {
  const runs: Array<Load> = []
  for (let run = 0; run < options.pairs; run++) {
    runs.push(await runLoad(new URL(script, import.meta.url), [String(headers), ...args]))
    progress(`${what}: run ${run + 1} of ${options.pairs}`)
  }
  loads.push({ row: "L2", what: `${what}, ${headers} headers`, ...bounds, runs })
}

printLoads(measuredOn, loads, options.json)
