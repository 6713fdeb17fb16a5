/** `plan`: what a bootstrap with the same flags would do, from metadata alone. */
import {
  type CheckContext,
  command,
  CommandError,
  type CommandInput,
  type CommandResult,
  ExitCode,
  formatNanosDuration,
  makeStatusLine,
  optional,
  type Problem,
  Type,
  withDefault
} from "@peerstrap/command-line"
import { LevelSource } from "@peerstrap/consistency-policy"
import { consistencyKind } from "@peerstrap/consistency-policy/plugin"
import { peersKind } from "@peerstrap/m3db-bootstrap/plugin"
import { formatShards } from "@peerstrap/m3db-topology"
import { PeerRateSource } from "@peerstrap/peer-selection"
import { peerRateKind } from "@peerstrap/peer-selection/plugin"
import { Host, machineBudgets } from "@peerstrap/plugin-host"
import { formatCount, formatNanos } from "@peerstrap/progress"
import { FileSystem } from "@peerstrap/storage"
import { filesKind } from "@peerstrap/storage/plugin"
import { BufferMemory, formatAddress } from "@peerstrap/transport"
import { memoryKind } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { bootstrapFlags } from "../bootstrap/BootstrapFlags.ts"
import { type BootstrapPlan, planBootstrap, planJobs } from "../bootstrap/BootstrapPlan.ts"
import { blockName, checkExisting, nothingExists } from "../bootstrap/Existing.ts"
import { filesetOutputOf } from "../bootstrap/FilesetOutput.ts"
import { lookForFurtherShards } from "../bootstrap/FurtherShards.ts"
import { type BootstrapParts, partsProviding, resolveParts } from "../bootstrap/Parts.ts"
import { plannedPeers } from "../bootstrap/PlannedPeers.ts"
import { fatalPlugin, partError } from "../bootstrap/StartErrors.ts"
import { type ForecastSettings, makeForecast } from "../plan/Forecast.ts"
import { forecastCode, forecastJson, forecastText } from "../plan/ForecastText.ts"
import { listJobs } from "../plan/ListJobs.ts"
import { lookAtSamples } from "../plan/LookAtSamples.ts"

const planFlags = {
  ...bootstrapFlags,
  out: optional(
    Type.path("DIR", "/var/lib/m3db"),
    "Where the run would write: what is there and what is free is looked at."
  ),
  patience: withDefault(Type.millis("15s"), "15s", "A peer that fails for so long counts as one that does not answer."),
  assumedBytesPerSecond: withDefault(
    Type.bytes(1024, 2 ** 40, "50MB"),
    "20MB",
    "What each peer is assumed to send, for the time; --peer-bytes-per-second when that is less."
  ),
  assumedBlocksPerSecond: withDefault(
    Type.integer(1, 100_000_000, 20_000),
    "20000",
    "Series-blocks that each peer is assumed to send, for the time."
  )
} as const

type PlanInput = CommandInput<typeof planFlags, BootstrapPlan | undefined, BootstrapParts>

/** Parts of a run that planning uses: nothing that writes. */
const used = [consistencyKind, peersKind, peerRateKind, memoryKind, filesKind] as const

/** What the output directory says to such a run; a refusal is a value here. */
const lookAtOutput = Effect.fnUntraced(function*({ resolved, settings }: PlanInput, plan: BootstrapPlan) {
  const filesets = filesetOutputOf(yield* Effect.mapError(Host.plan(resolved), partError))
  if (settings.out === undefined || filesets === undefined) {
    return { existing: nothingExists, refusal: undefined, freeBytes: undefined }
  }
  const fs = yield* FileSystem
  const { namespace, out, overwrite } = filesets
  const checking = yield* Effect.result(
    checkExisting({ ...plan, outPath: out }, { ...settings, namespace, overwrite }, () => undefined)
  )
  const freeBytes = yield* fs.freeBytes(out).pipe(Effect.orElseSucceed(() => undefined))
  return checking._tag === "Success"
    ? { existing: checking.success, refusal: undefined, freeBytes }
    : { existing: nothingExists, refusal: checking.failure, freeBytes }
})

const headText = (plan: BootstrapPlan, { blockSize, namespace }: PlanInput["settings"]): string =>
  [
    `namespace ${namespace}: ${plan.shards.length} shards (${
      formatShards(plan.shards)
    }) × ${plan.starts.length} blocks of ${formatNanosDuration(blockSize)}, ${formatNanos(plan.from)} to ${
      formatNanos(plan.to)
    }`,
    ...plan.notes,
    ""
  ].join("\n")

const runPlan = Effect.fnUntraced(function*(input: PlanInput) {
  const { json, settings, terminal } = input
  const plan = input.plan!
  const status = yield* makeStatusLine(terminal, json)
  const { existing, freeBytes, refusal } = yield* lookAtOutput(input, plan)
  const { level } = yield* LevelSource.use((levels) => levels.current)
  const memoryBytes = (yield* BufferMemory).ledger.capacity
  const { bytesPerSecond } = yield* PeerRateSource.use((rates) => rates.current)
  const clients = yield* plannedPeers(plan)
  const jobs = planJobs(plan, (shard, start) => existing.kept.has(blockName(shard, start)), settings.jobsInFlight)
  const further = yield* Effect.forkChild(
    lookForFurtherShards(jobs.length === 0 ? [] : clients, plan, settings, settings.patience)
  )
  const listing = yield* listJobs({
    namespace: settings.namespace,
    blockSize: settings.blockSize,
    jobs,
    clients,
    level,
    replicationFactor: plan.replicationFactor,
    numShards: plan.numShards,
    hashSeed: settings.hashSeed,
    jobsInFlight: settings.jobsInFlight,
    memoryBytes,
    patienceMillis: settings.patience,
    onRetry: ({ address, message, peer, reason }) =>
      Effect.sync(() => status.update(() => `plan: waiting for ${peer} (${address}): ${reason}: ${message}`)),
    onJob: (done) =>
      Effect.sync(() => status.update(() => `plan: ${formatCount(done)} of ${formatCount(jobs.length)} jobs listed`))
  })
  const misfit = (yield* Fiber.join(further)) ?? (settings.encoding !== "m3tsz" ? undefined : yield* lookAtSamples({
    forecasts: listing.forecasts,
    clients,
    namespace: settings.namespace,
    blockSize: settings.blockSize,
    patienceMillis: settings.patience
  }))
  const listed = { ...listing, misfit }
  const forecastSettings: ForecastSettings = {
    level,
    peers: plan.peers.map(({ address, id }) => ({ id, address: formatAddress(address) })),
    memoryBytes,
    jobsInFlight: settings.jobsInFlight,
    window: settings.window,
    batchBytes: settings.batchBytes,
    assumedBytesPerSecond: bytesPerSecond === 0
      ? settings.assumedBytesPerSecond
      : Math.min(settings.assumedBytesPerSecond, bytesPerSecond),
    assumedBlocksPerSecond: settings.assumedBlocksPerSecond,
    deadlineMillis: settings.deadline,
    freeBytes,
    refusal: refusal === undefined ? undefined : { message: refusal.message, remedy: refusal.remedy },
    kept: existing.kept.size,
    numShards: plan.numShards,
    hashSeed: settings.hashSeed
  }
  const forecast = makeForecast(listed, forecastSettings)
  return {
    exitCode: forecastCode(forecast),
    text: headText(plan, settings) + forecastText(forecast, forecastSettings),
    json: {
      namespace: settings.namespace,
      from: plan.from,
      to: plan.to,
      shards: formatShards(plan.shards),
      notes: plan.notes,
      ...forecastJson(forecast, forecastSettings)
    }
  } satisfies CommandResult as CommandResult
})

export const plan = command<typeof planFlags, BootstrapPlan | undefined, BootstrapParts>({
  name: "plan",
  summary: "Say what a bootstrap would do: work, time, memory, disk, risks; nothing is written",
  details: [
    "Takes the flags of bootstrap, and plugins: of a config file as that does. Lists every shard on every peer exactly as a run would, and tells for each peer and in total: series, " +
    "series-blocks and bytes, what would be fetched from whom, which blocks differ, which shards do not reach the level, the time (listing " +
    "as measured just now, data by the rates of --assumed-…), the peak of the memory, the disk. What is in --out is looked at as a run " +
    "looks at it; with --resume it is verified. Only where metadata leave open whether --block-size is right, up to four series-blocks are " +
    "fetched and looked at.",
    "Exit code 0: a run can finish at this level. 1: too few peers hold a shard for it. 3: too few peers answer. 4: disk, memory or " +
    "what is in --out stands in the way. 2: the flags do not fit the cluster."
  ],
  flags: planFlags,
  examples: [
    {
      args: "plan --peer a=10.0.0.1:9000 --peer b=10.0.0.2:9000 --namespace metrics --num-shards 64 --block-size 2h " +
        "--retention 48h --out /var/lib/m3db",
      says: "What all shards and immutable blocks in retention would take"
    },
    {
      args:
        "plan --placement placement.json --origin node-4 --namespace metrics --block-size 2h --retention 48h --level all --json",
      says: "Whether node-4 could be rebuilt at level all, as JSON"
    }
  ],
  check: (
    settings,
    operands: ReadonlyArray<string>,
    context: CheckContext,
    problem: (problem: Problem) => void
  ): BootstrapPlan | undefined => planBootstrap({ ...settings, out: settings.out ?? "." }, operands, context, problem),
  resolve: ({ settings, ...found }) => resolveParts({ ...found, settings: { ...settings, out: settings.out ?? "." } }),
  run: (input) =>
    Host.run(partsProviding(input.resolved, used), () => runPlan(input), { machine: machineBudgets() }).pipe(
      Effect.catchTags({
        CompositionError: (error) => Effect.fail(partError(error)),
        PluginStartError: (error) => Effect.fail(partError(error)),
        PluginFatalError: (error) => Effect.fail(new CommandError({ exitCode: ExitCode.local, ...fatalPlugin(error) }))
      })
    )
})
