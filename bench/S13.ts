/**
 * S13: peer streaming of the same data from the same three real nodes, our client beside a rival's, both as whole processes measured
 * from outside. Level majority, shards one at a time, 8 and 64 at a time; what is streamed is counted and dropped.
 * Usage: npm run bench -- S13 --m3dbnode PATH [--rival 'COMMAND …'] [--pairs 10] [--series 100000] [--points 720]
 *        [--shards 64] [--parallel 1,8,64] [--json]
 */
import { accessSync, constants } from "node:fs"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { bundleOurs } from "./clients/Bundle.ts"
import { printClients } from "./clients/ClientReport.ts"
import { type OutsideMeasured, runOutside } from "./clients/Outside.ts"
import { type RealCluster, startCluster } from "./clients/RealCluster.ts"
import { filled, placeholders, wordsOf } from "./clients/RivalCommand.ts"
import { machine } from "./method/Machine.ts"
import { progress } from "./method/Options.ts"
import { runRounds } from "./method/Pairs.ts"

const needs = `S13 needs a real m3dbnode: npm run bench -- S13 --m3dbnode PATH [--rival 'COMMAND …']
COMMAND streams every block of every shard from the nodes, drops them, and prints as its last line JSON with "blocks" (series-blocks) and
"bytes". Its words may hold {peers} (ID=HOST:PORT,…), {namespace}, {shards}, {start}, {end}, {block-size} (ns) and {parallel}.`

const { values } = parseArgs({
  options: {
    m3dbnode: { type: "string" },
    rival: { type: "string" },
    pairs: { type: "string", default: "10" },
    series: { type: "string", default: "100000" },
    points: { type: "string", default: "720" },
    shards: { type: "string", default: "64" },
    parallel: { type: "string", default: "1,8,64" },
    json: { type: "boolean", default: false }
  }
})

const fromUser = (path: string): string => resolve(process.env["INIT_CWD"] ?? process.cwd(), path)

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const whole = (name: "pairs" | "series" | "points" | "shards" | "parallel", text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`--${name} needs whole numbers from 1, got "${text}"`)
  }
  return value
}

/** One run of a side, which must have got everything. */
const checked = async (cluster: RealCluster, command: ReadonlyArray<string>): Promise<OutsideMeasured> => {
  const measured = await runOutside(command)
  if (measured.items !== cluster.blocks || measured.bytes !== cluster.bytes) {
    throw new Error(
      `${command[0]} got ${measured.items} series-blocks and ${measured.bytes} bytes; ` +
        `the nodes hold ${cluster.blocks} and ${cluster.bytes}`
    )
  }
  return measured
}

const main = async (m3dbnode: string): Promise<void> => {
  const pairs = whole("pairs", values.pairs)
  const parallels = values.parallel.split(",").map((text) => whole("parallel", text))
  const measuredOn = machine()
  const spec = {
    series: whole("series", values.series),
    points: whole("points", values.points),
    shards: whole("shards", values.shards)
  }
  const cluster = await startCluster(m3dbnode, spec)
  // A signal must not leave three nodes behind.
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    process.once(signal, () => void cluster.stop().finally(() => process.exit(code)))
  }
  try {
    const ours = await bundleOurs(cluster.directory)
    const results = []
    for (const parallel of parallels) {
      const ourCommand = filled([process.execPath, ours, ...placeholders], cluster, parallel)
      const sides = [{ name: "ours", run: () => checked(cluster, ourCommand) }]
      if (values.rival !== undefined) {
        const command = filled(wordsOf(values.rival), cluster, parallel)
        sides.push({ name: "rival", run: () => checked(cluster, command) })
      }
      const [our, rival] = await runRounds(
        sides,
        pairs,
        (round) => progress(`${parallel} at a time: round ${round + 1} of ${pairs}`)
      )
      results.push({
        parallel,
        ours: our as ReadonlyArray<OutsideMeasured>,
        rival: rival as ReadonlyArray<OutsideMeasured> | undefined
      })
    }
    printClients(measuredOn, { ...spec, bytes: cluster.bytes, blocks: cluster.blocks }, results, values.json)
    if (values.rival === undefined) console.error(`\nOur figures alone. For the comparison:\n${needs}`)
  } finally {
    await cluster.stop()
  }
}

const file = values.m3dbnode === undefined ? undefined : fromUser(values.m3dbnode)
if (file === undefined || !isExecutable(file)) {
  console.error(file === undefined ? needs : `${needs}\n(${file} is not an executable file)`)
  process.exitCode = 2
} else await main(file)
