/**
 * S9: a chain bootstrap from 32 peers into an applier that takes 1 ms a block, beside that applier alone. The applier's work is done elsewhere, as by a
 * node: it takes time, and none of this process's. Measured without delay on the connections (the goal) and with 20 ms round trip.
 * Usage: npm run bench -- S9 [--pairs 10] [--json]
 */
import { startSwarm } from "./chain/StartSwarm.ts"
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print, type Result } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"

const blocks = 3_000
const peers = 32
const millisPerBlock = 1
const options = benchOptions({ blockBytes: [], pairs: 10 })
const measuredOn = machine()
const results: Array<Result> = []

for (const { delayMillisEachWay, goal } of [{ delayMillisEachWay: 0, goal: 0.97 }, { delayMillisEachWay: 10 }]) {
  const swarm = await startSwarm(blocks, peers, delayMillisEachWay)
  const args = [JSON.stringify(swarm.facts), String(millisPerBlock)]
  const side = (file: string) => () => runSide(new URL(`chain/${file}`, import.meta.url), args)
  const delay = delayMillisEachWay === 0 ? "no delay" : `${2 * delayMillisEachWay} ms round trip`
  const [ours, alone] = await runRounds(
    [{ name: "sync", run: side("PacedSyncSide.ts") }, { name: "alone", run: side("ApplierAlone.ts") }],
    options.pairs,
    (round) => progress(`${delay}: round ${round + 1} of ${options.pairs}`)
  )
  swarm.stop()
  const comparison = compare({ name: "applier fed by a sync", runs: ours! }, { name: "applier alone", runs: alone! })
  const what = `${blocks} blocks of 4 passes, ${millisPerBlock} ms a block, ${peers} peers, ${delay}`
  results.push({ row: "S9", what, goal, comparison })
}

print(measuredOn, results, options.json)
