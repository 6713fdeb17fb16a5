/**
 * S5: our Adler-32 beside a plain JavaScript loop, at three sizes of block.
 * Usage: npm run bench -- S5 [--pairs 12] [--bytes 200,1024,65536] [--json]
 */
import { machine } from "./method/Machine.ts"
import { benchOptions } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print, type Result } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"

const options = benchOptions({ blockBytes: [200, 1_024, 65_536] })
const goals = new Map([[200, 1.35], [1_024, 1.7], [65_536, 3]])
const measuredOn = machine()
const results: Array<Result> = []

for (const blockBytes of options.blockBytes) {
  const side = (kind: string) => () => runSide(new URL("sums/Adler.ts", import.meta.url), [kind, String(blockBytes)])
  const [ours, plain] = await runRounds(
    [{ name: "adler32Update", run: side("ours") }, { name: "plain loop", run: side("plain") }],
    options.pairs
  )
  results.push({
    row: "S5",
    what: `blocks of ${blockBytes} bytes`,
    goal: goals.get(blockBytes),
    comparison: compare({ name: "adler32Update", runs: ours! }, { name: "plain loop", runs: plain! })
  })
}

print(measuredOn, results, options.json)
