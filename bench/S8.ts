/**
 * S8: a chain bootstrap from 32 peers beside one peer asked one question at a time, both with the same delay on every connection, from the first
 * dial to the last block; the applier costs nothing.
 * Usage: npm run bench -- S8 [--pairs 10] [--json]
 */
import { startSwarm } from "./chain/StartSwarm.ts"
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"

/** The rival needs a round trip a header and one for two and a half blocks of operations: half a minute for so many. */
const blocks = 1_000
const peers = 32
const delayMillisEachWay = 10
const options = benchOptions({ blockBytes: [], pairs: 10 })
const measuredOn = machine()

progress(
  `${peers} peers with ${blocks} blocks, ${
    2 * delayMillisEachWay
  } ms round trip; the rival takes about half a minute a round`
)
const swarm = await startSwarm(blocks, peers, delayMillisEachWay)
const side = (file: string) => () => runSide(new URL(`chain/${file}`, import.meta.url), [JSON.stringify(swarm.facts)])
const [ours, rival] = await runRounds(
  [{ name: "32 peers", run: side("SyncSide.ts") }, { name: "one peer", run: side("SequentialSide.ts") }],
  options.pairs,
  (round) => progress(`round ${round + 1} of ${options.pairs}`)
)
swarm.stop()

const comparison = compare({ name: `${peers} peers`, runs: ours! }, { name: "one peer, sequential", runs: rival! })
const what = `${blocks} blocks of 4 passes, ${
  2 * delayMillisEachWay
} ms round trip on every connection, from the first dial`
print(measuredOn, [{ row: "S8", what, goal: 8, comparison }], options.json)
