/**
 * S14: `peerstrap-m3db bootstrap` from its bundle in a cold process, from its spawn to the first question for a block that a running
 * replica gets, beside `node -e 0` from its spawn to its end.
 * Usage: npm run bench -- S14 [--pairs 10] [--json]
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { blockSize, blockStart, namespace } from "./memory/LoadSource.ts"
import { whenEnding } from "./method/Children.ts"
import { differenceOfPairs, differenceVerdict, medianMillis } from "./method/Differences.ts"
import { machine, machineLine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { builtBundle } from "./start/Bundle.ts"
import { startReplicaHere } from "./start/ReplicaHere.ts"

const mostSeconds = 0.4
const options = benchOptions({ blockBytes: [], pairs: 10 })
const measuredOn = machine()
const bundle = builtBundle()
const replica = await startReplicaHere()
const folder = mkdtempSync(join(tmpdir(), "peerstrap-start-"))
whenEnding(() => rmSync(folder, { recursive: true, force: true }))

/** Seconds from the spawn to the end, and to whatever happens in between. */
const run = async (args: ReadonlyArray<string>): Promise<Readonly<Record<"page" | "block" | "end", number>>> => {
  const began = performance.now()
  const since = (): number => (performance.now() - began) / 1000
  let page = Number.NaN
  let block = Number.NaN
  replica.asked = (what) => {
    if (what === "page" && Number.isNaN(page)) page = since()
    if (what === "block" && Number.isNaN(block)) block = since()
  }
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] })
  child.stderr.resume()
  const [code] = await once(child, "exit")
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}`)
  return { page, block, end: since() }
}

let runs = 0
const bootstrap = () =>
  run([
    bundle,
    "bootstrap",
    `--peer=a=${replica.address}`,
    `--namespace=${namespace}`,
    "--num-shards=1",
    "--block-size=2h",
    `--from=${blockStart}`,
    `--to=${blockStart + blockSize}`,
    `--out=${join(folder, String(runs++))}`
  ])
const bare = () => run(["-e", "0"])

await bootstrap()
await bare()
const pairs: Array<{ readonly ours: Awaited<ReturnType<typeof run>>; readonly bare: number }> = []
for (let pair = 0; pair < options.pairs; pair++) {
  if (pair % 2 === 0) {
    const ours = await bootstrap()
    pairs.push({ ours, bare: (await bare()).end })
  } else {
    const { end } = await bare()
    pairs.push({ ours: await bootstrap(), bare: end })
  }
  progress(`pair ${pair + 1} of ${options.pairs}`)
}
replica.stop()

const millis = (seconds: number): string => (seconds * 1000).toFixed(0)
const difference = differenceOfPairs(pairs.map(({ bare, ours }) => [ours.block, bare] as const))
const says = differenceVerdict(difference, mostSeconds)
if (options.json) {
  const start = {
    row: "S14",
    what: "first block asked for after the spawn",
    mostSeconds,
    difference,
    verdict: says,
    pairs
  }
  console.log(JSON.stringify({ measuredAt: new Date().toISOString(), machine: measuredOn, starts: [start] }))
} else {
  const [page, block, end] = (["page", "block", "end"] as const).map((what) => pairs.map(({ ours }) => ours[what]))
  console.log(machineLine(measuredOn))
  console.log("\nS14  a cold bootstrap of one block from one replica, from its spawn")
  console.log(
    `  first page asked for ${medianMillis(page!)}, first block ${medianMillis(block!)}, end ${medianMillis(end!)}`
  )
  console.log(`  node -e 0 ${medianMillis(pairs.map(({ bare }) => bare))}`)
  console.log(
    `  first block − node -e 0: ${millis(difference.mean)} ms [${millis(difference.low)}, ${
      millis(difference.high)
    }] ` +
      `(95 % interval, ${difference.pairs} pairs), goal ≤ ${millis(mostSeconds)} ms: ${says}`
  )
}
