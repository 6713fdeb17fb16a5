/**
 * Memory: the highest resident memory of `peerstrap-m3db bootstrap --memory 256MiB` while it brings a million series of two blocks from
 * three replicas into durable filesets: spread over 64 shards, and a fifth of them in one shard, which is one job.
 * Usage: npm run bench -- Memory [--series 1000000] [--pairs 1 (runs of each)] [--dir DIR] [--json]
 */
import { type BootstrapTook, runBootstrap } from "./memory/RunBootstrap.ts"
import { machine, machineLine } from "./method/Machine.ts"
import { benchOptions, progress } from "./method/Options.ts"
import { builtBundle } from "./start/Bundle.ts"

/** What may be resident above the ledger: Node, its heap, code, and what allocators keep. */
const aboveLedgerBytes = 96 * 2 ** 20
const memory = "256MiB"
const options = benchOptions({ blockBytes: [], pairs: 1 })
const measuredOn = machine()
const bundle = builtBundle()

const cases = [
  { series: options.series, blocks: 2, shards: 64, points: 30 },
  { series: Math.ceil(options.series / 5), blocks: 2, shards: 1, points: 30 }
]

interface Row {
  readonly row: string
  readonly what: string
  readonly mostBytes: number
  readonly verdict: "met" | "missed"
  readonly runs: ReadonlyArray<BootstrapTook>
}

const rows: Array<Row> = []
for (const size of cases) {
  const runs: Array<BootstrapTook> = []
  const what = `${size.series} series × ${size.blocks} blocks in ${size.shards} shards, --memory ${memory}`
  for (let run = 0; run < options.pairs; run++) {
    progress(`${what}: run ${run + 1} of ${options.pairs}`)
    runs.push(await runBootstrap(bundle, size, memory, options.directory))
  }
  const mostBytes = runs[0]!.ledgerBytes + aboveLedgerBytes
  const verdict = runs.every(({ peakBytes }) => peakBytes <= mostBytes) ? "met" : "missed"
  rows.push({ row: "Memory", what, mostBytes, verdict, runs })
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`

if (options.json) {
  console.log(JSON.stringify({ measuredAt: new Date().toISOString(), machine: measuredOn, memory: rows }))
} else {
  console.log(machineLine(measuredOn))
  for (const { mostBytes, row, runs, verdict, what } of rows) {
    console.log(`\n${row}  ${what}`)
    for (const { cpuSeconds, filesets, ledgerPeakBytes, peakBytes, seconds, stored } of runs) {
      console.log(
        `  ${seconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s, ${
          (stored / seconds / 1e3).toFixed(1)
        } k series-blocks/s into ` +
          `${filesets} filesets, all read again`
      )
      console.log(
        `  resident at most ${mebibytes(peakBytes)}; of the ledger at most ${mebibytes(ledgerPeakBytes)} were drawn, ` +
          `${mebibytes(peakBytes - ledgerPeakBytes)} are beside it`
      )
    }
    console.log(`  goal: at most the ledger and 96 MiB, ${mebibytes(mostBytes)}: ${verdict}`)
  }
}
