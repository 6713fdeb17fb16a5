/**
 * S4: metadata of three replicas decoded and grouped, beside the decoding of one replica's. The goal is at most 3.5 × the time, that is a
 * ratio of at least 0.286.
 * Usage: npm run bench -- S4 [--pairs 12] [--json]
 */
import { machine } from "./method/Machine.ts"
import { benchOptions } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"

const series = 102_400
const options = benchOptions({ blockBytes: [] })
const measuredOn = machine()
const side = (kind: string) => () => runSide(new URL("metadata/Listing.ts", import.meta.url), [kind, String(series)])
const [three, one] = await runRounds(
  [{ name: "three, grouped", run: side("three") }, { name: "one, decoded", run: side("one") }],
  options.pairs
)
const comparison = compare({ name: "three, decoded and grouped", runs: three! }, { name: "one, decoded", runs: one! })

print(
  measuredOn,
  [{ row: "S4", what: `${series} series in pages of 4096, fifty times`, goal: 1 / 3.5, comparison }],
  options.json
)
