/**
 * Faults of one replica of three, with real processes: how long a bootstrap into durable filesets takes beside a healthy run, and
 * whether it ends with all of the data, as a table beside what M3's own Go client did with the same faults.
 * Usage: npm run bench -- faults [--rounds 5] [--rows slow,killed] [--json]
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { type Ended, runBootstrap } from "./faults/Bootstrap.ts"
import { Cluster } from "./faults/Cluster.ts"
import { type FaultPair, type FaultResult, printFaults } from "./faults/FaultTable.ts"
import { replicasAreOurs } from "./faults/Replicas.ts"
import { type FaultRow, faultRows } from "./faults/Rows.ts"
import { machine } from "./method/Machine.ts"
import { progress } from "./method/Options.ts"

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    rows: { type: "string" },
    json: { type: "boolean", default: false }
  }
})

const rounds = Number(values.rounds)
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  throw new RangeError(`--rounds needs a number from 1, got "${values.rounds}"`)
}
const wanted = values.rows?.split(",")
const unknown = wanted?.filter((id) => faultRows.every((row) => row.id !== id)) ?? []
if (unknown.length > 0) {
  throw new RangeError(`--rows: no ${unknown.join(", ")}; there are: ${faultRows.map(({ id }) => id).join(", ")}`)
}
const rows = faultRows.filter(({ id }) => wanted === undefined || wanted.includes(id))

const problemOf = (row: FaultRow | undefined, ended: Ended, truth: string): string | undefined => {
  if (ended.code !== (row?.exitCode ?? 0)) {
    const [missing] = ended.document.report.missing.entries
    return `exit code ${ended.code}: ${ended.document.verdict}; ${missing?.reason ?? "nothing is missing"}`
  }
  if (row?.isPartial !== true && ended.held !== truth) return "the data on the disk are not the truth"
  return row?.check?.(ended)
}

const runHealthy = async (cluster: Cluster): Promise<Ended> => {
  const ended = await runBootstrap(cluster.options({}))
  const problem = problemOf(undefined, ended, cluster.truth)
  if (problem !== undefined) throw new Error(`healthy run: ${problem}`)
  return ended
}

const runFaulty = async (cluster: Cluster, row: FaultRow) => {
  const { after, options, truth = cluster.truth } = await row.begin(cluster)
  const ended = await runBootstrap(options)
  await after?.()
  return { ended, problem: problemOf(row, ended, truth) }
}

const runPair = async (cluster: Cluster, row: FaultRow, healthyFirst: boolean): Promise<FaultPair> => {
  const before = healthyFirst ? await runHealthy(cluster) : undefined
  const { ended, problem } = await runFaulty(cluster, row)
  const healthy = before ?? await runHealthy(cluster)
  return {
    healthyRunSeconds: healthy.runSeconds,
    healthyWallSeconds: healthy.wallSeconds,
    runSeconds: ended.runSeconds,
    wallSeconds: ended.wallSeconds,
    problem
  }
}

const replicas = replicasAreOurs
  ? "EMBEDDED replicas of our own, because the independent ones are not at hand (set PEERSTRAP_SHARED)"
  : "three independent replicas (m3peer.py)"
progress(`starting ${replicas}`)
const measuredOn = machine()
const directory = mkdtempSync(join(tmpdir(), "peerstrap-faults-"))
process.once("exit", () => rmSync(directory, { recursive: true, force: true }))
const cluster = await Cluster.start(directory)
// The first run reads the program from the disk, the replicas theirs.
await runHealthy(cluster)

const pairs = new Map(rows.map((row): [FaultRow, Array<FaultPair>] => [row, []]))
for (let round = 0; round < rounds; round++) {
  for (const row of rows) {
    const pair = await runPair(cluster, row, round % 2 === 0)
    pairs.get(row)!.push(pair)
    progress(
      `round ${round + 1} of ${rounds}, ${row.id}: ${pair.runSeconds.toFixed(2)} s, healthy ` +
        `${pair.healthyRunSeconds.toFixed(2)} s${pair.problem === undefined ? "" : `, ${pair.problem}`}`
    )
  }
}

printFaults(
  {
    machine: measuredOn,
    replicas,
    results: [...pairs].map(([row, measured]): FaultResult => ({ row, pairs: measured }))
  },
  values.json
)
process.exit()
