/**
 * S3: the data path from three peers, the best one chosen for each block, beside the same from one peer; the same bytes in all. Feeders
 * are a process each. They make answers as they are asked for them, because which block is asked of whom is the client's choice.
 * Usage: npm run bench -- S3 [--pairs 10] [--mib 256] [--bytes 200,2048,4096] [--json]
 */
import { startServing } from "./method/Children.ts"
import { machine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { compare, runRounds } from "./method/Pairs.ts"
import { print, type Result } from "./method/Report.ts"
import { runSide } from "./method/Side.ts"
import { batchItemsOf, countOf } from "./replicas/AnswerSet.ts"

const options = benchOptions({ blockBytes: [200, 2_048, 4_096], pairs: 10 })
const measuredOn = machine()
const results: Array<Result> = []

for (const blockBytes of options.blockBytes) {
  const count = countOf(blockBytes, options.mebibytes)
  const feeders = await Promise.all(
    Array.from({ length: 3 }, () =>
      startServing<{ readonly port: number; readonly bytes: number }>(
        new URL("spread/ElementFeeder.ts", import.meta.url),
        [blockBytes, count]
      ))
  )
  const ports = feeders.map(({ ready }) => ready.port)
  const numbers = [feeders[0]!.ready.bytes, count, batchItemsOf(blockBytes)].map(String)
  const side = (from: ReadonlyArray<number>) => () =>
    runSide(new URL("spread/SpreadSide.ts", import.meta.url), [from.join(","), ...numbers])
  const [three, one] = await runRounds(
    [{ name: "three peers", run: side(ports) }, { name: "one peer", run: side(ports.slice(0, 1)) }],
    options.pairs,
    (round) => progress(`round ${round + 1} of ${options.pairs}`)
  )
  for (const { stop } of feeders) stop()
  results.push({
    row: "S3",
    what: `blocks of ${blockBytes} bytes, ${count} of them in ${numbers[0]} bytes of answers`,
    goal: 0.9,
    comparison: compare({ name: "three peers", runs: three! }, { name: "one peer", runs: one! })
  })
}

print(measuredOn, results, options.json)
