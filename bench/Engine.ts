/**
 * The sync engine alone in anchored mode, which is to hold L2 (60 s for a million headers of 64 peers, 5 % of them a fork): headers in, links,
 * support, segments, applied blocks out, without network, hashing or disk. Fewer headers than L2, the time bound scaled to them.
 * Usage: npm run bench -- Engine [--pairs 3 (runs)] [--json]
 */
import type { Load } from "./load/Load.ts"
import { printLoads, runLoad } from "./method/Bounds.ts"
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"

const headers = 10_000
const options = benchOptions({ blockBytes: [], pairs: 3 })
const measuredOn = machine()
const runs: Array<Load> = []
for (let run = 0; run < options.pairs; run++) {
  runs.push(await runLoad(new URL("load/EngineLoad.ts", import.meta.url), [String(headers)]))
  progress(`run ${run + 1} of ${options.pairs}`)
}
const what = `sync engine in anchored mode, ${headers} headers, 64 peers`
printLoads(measuredOn, [{ row: "L2", what, mostSeconds: 60 * headers / 1e6, mostMebibytes: 300, runs }], options.json)
