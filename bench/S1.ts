/**
 * S1 and S1b: the data path of a bootstrap (one peer, one thread, both checksums verified, discarding sink) beside a hand-written
 * reader of the same bytes and beside a raw socket. All three take turns on the same feeder.
 * Usage: npm run bench -- S1 [--pairs 12] [--mib 256] [--bytes 200,2048,4096] [--json]
 */
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print, type Result } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"
import { startFeeder } from "./replicas/StartFeeder.ts"

const options = benchOptions({ blockBytes: [200, 2_048, 4_096] })
const measuredOn = machine()
const results: Array<Result> = []

/** Goals of S1b by bytes a block. */
const pipeGoal = (blockBytes: number): number | undefined =>
  blockBytes >= 4_096 ? 0.4 : blockBytes === 200 ? 0.25 : undefined

for (const blockBytes of options.blockBytes) {
  progress(`preparing ${options.mebibytes} MiB of answers with blocks of ${blockBytes} bytes`)
  const feeder = await startFeeder(blockBytes, options.mebibytes)
  const args = [feeder.port, feeder.bytes, feeder.count, feeder.batchItems].map(String)
  const side = (file: string) => () => runSide(new URL(`replicas/${file}`, import.meta.url), args)
  const [ours, reader, pipe] = await runRounds(
    [
      { name: "data path", run: side("DataPath.ts") },
      { name: "hand-written reader", run: side("HandReader.ts") },
      { name: "raw pipe", run: side("RawPipe.ts") }
    ],
    options.pairs,
    (round) => progress(`round ${round + 1} of ${options.pairs}`)
  )
  feeder.stop()
  const about = `blocks of ${blockBytes} bytes, ${feeder.count} of them in ${feeder.bytes} bytes of answers`
  const path = { name: "data path", runs: ours! }
  results.push(
    { row: "S1", what: about, goal: 0.8, comparison: compare(path, { name: "hand-written reader", runs: reader! }) },
    {
      row: "S1b",
      what: about,
      goal: pipeGoal(blockBytes),
      comparison: compare(path, { name: "raw pipe", runs: pipe! })
    }
  )
}

print(measuredOn, results, options.json)
