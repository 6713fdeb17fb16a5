/**
 * S10: the data path of a bootstrap through the plugin host beside the same layers wired by hand, on the same feeder.
 * Usage: npm run bench -- S10 [--pairs 10] [--mib 256] [--bytes 200,2048,4096] [--json]
 */
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print, type Result } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"
import { startFeeder } from "./replicas/StartFeeder.ts"

const options = benchOptions({ blockBytes: [200, 2_048, 4_096], pairs: 10 })
const measuredOn = machine()
const results: Array<Result> = []

for (const blockBytes of options.blockBytes) {
  progress(`preparing ${options.mebibytes} MiB of answers with blocks of ${blockBytes} bytes`)
  const feeder = await startFeeder(blockBytes, options.mebibytes)
  const args = [feeder.port, feeder.bytes, feeder.count, feeder.batchItems].map(String)
  const side = (how: "host" | "hand") => () => runSide(new URL("compose/Side.ts", import.meta.url), [how, ...args])
  const [ours, rival] = await runRounds(
    [{ name: "through the host", run: side("host") }, { name: "wired by hand", run: side("hand") }],
    options.pairs,
    (round) => progress(`round ${round + 1} of ${options.pairs}`)
  )
  feeder.stop()
  results.push({
    row: "S10",
    what: `blocks of ${blockBytes} bytes, ${feeder.count} of them in ${feeder.bytes} bytes of answers`,
    goal: 0.97,
    comparison: compare({ name: "through the host", runs: ours! }, { name: "wired by hand", runs: rival! })
  })
}

print(measuredOn, results, options.json)
