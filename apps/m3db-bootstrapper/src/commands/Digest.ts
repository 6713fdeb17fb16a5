/** `digest`: one JSON line for each series-block of a directory, or of what replicas would give. */
import {
  command,
  type CommandInput,
  type CommandResult,
  ExitCode,
  makeStatusLine,
  optional,
  type Problem,
  toggle,
  Type,
  withDefault
} from "@peerstrap/command-line"
import { levels } from "@peerstrap/consistency-policy"
import { formatCount, formatNanos } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { digestDirectory } from "../digest/DigestDirectory.ts"
import { digestPeers, type PeersDigest } from "../digest/DigestPeers.ts"
import { type DataFilter, problemText, scanData } from "../inspect/DataDirectory.ts"
import { directoryFlags, directoryOperand, planFilter } from "../inspect/DirectoryFlags.ts"
import { peerFlags, type PeerPlan, planPeers } from "../inspect/PeerFlags.ts"

const digestFlags = {
  ...peerFlags,
  namespace: { ...directoryFlags.namespace, help: "The namespace. Required with --peer." },
  level: withDefault(
    Type.oneOf(levels, "majority"),
    "majority",
    "The consistency level that each shard must reach, counted from the peers given (or the placement's replica factor)."
  ),
  deadline: optional(
    Type.millis("10m"),
    "Ends with exit code 3 after this time; without it, peers are asked again for ever."
  ),
  json: toggle("Standard error has JSON lines. Standard output has the lines alone, as it has without.")
} as const

type DigestPlan =
  | { readonly _tag: "directory"; readonly directory: string; readonly filter: DataFilter }
  | { readonly _tag: "peers"; readonly plan: PeerPlan }

type DigestInput = CommandInput<typeof digestFlags, DigestPlan | undefined>

/** Flags that say nothing about a directory. */
const peerOnly = ["placement", "numShards", "blockSize", "deadline"] as const
const nameOf = {
  placement: "placement",
  numShards: "num-shards",
  blockSize: "block-size",
  deadline: "deadline"
} as const

const checkDirectory = (
  settings: Partial<DigestInput["settings"]>,
  directory: string,
  problem: (problem: Problem) => void
): DigestPlan => {
  if ((settings.peer?.length ?? 0) > 0) {
    problem({ where: "--peer", message: `and a directory exclude each other: digest ${directory}, or the peers` })
  }
  for (const key of peerOnly) {
    if (settings[key] !== undefined) {
      problem({ where: `--${nameOf[key]}`, message: "is for peers, a directory needs none; leave it out" })
    }
  }
  const { from, to } = settings
  if (from !== undefined && to !== undefined && from >= to) {
    problem({ where: "--from", message: `${formatNanos(from)} is not before --to ${formatNanos(to)}` })
  }
  return { _tag: "directory", directory, filter: planFilter(settings, problem) }
}

const runDirectory = Effect.fnUntraced(function*(
  { json, settings, terminal }: DigestInput,
  { directory, filter }: Extract<DigestPlan, { readonly _tag: "directory" }>
) {
  const namespaces = yield* scanData(directory, filter)
  const status = yield* makeStatusLine(terminal, json)
  const totals = yield* digestDirectory({
    directory,
    namespaces,
    from: settings.from,
    to: settings.to,
    write: terminal.out,
    onProblem: (problem) =>
      status.say(`peerstrap-m3db digest: ${problemText(problem)}`, { type: "problem", ...problem }),
    onShard: (namespace, shard) =>
      Effect.sync(() => status.update(() => `digest: namespace ${namespace}, shard ${shard}`))
  })
  const left = `${formatCount(totals.problems)} problems: what they concern has no line`
  if (json || totals.problems > 0) status.say(`peerstrap-m3db digest: ${left}`, { type: "end", ...totals })
  const exitCode = totals.problems === 0 ? ExitCode.done : ExitCode.no
  return { exitCode, text: "" } satisfies CommandResult as CommandResult
})

const shownMissing = 20

const endOf = (result: PeersDigest): { readonly exitCode: ExitCode; readonly text: string } => {
  const { outcome, report, undecodable } = result
  const missing = `${formatCount(report.missing.total)} parts are missing at level ${report.level}`
  switch (outcome._tag) {
    case "complete":
      return undecodable === 0
        ? { exitCode: ExitCode.done, text: "" }
        : { exitCode: ExitCode.no, text: `${formatCount(undecodable)} streams do not decode and have no line` }
    case "incomplete":
      return { exitCode: ExitCode.no, text: `incomplete: ${missing}` }
    case "deadline":
      return { exitCode: ExitCode.peers, text: `the deadline came first: ${missing}` }
    case "stopped":
      return { exitCode: ExitCode.interrupted, text: "stopped" }
    case "failed": {
      const code = { usage: ExitCode.usage, peers: ExitCode.peers, self: ExitCode.local }[outcome.fault]
      return { exitCode: code, text: outcome.message }
    }
  }
}

const runPeers = Effect.fnUntraced(function*({ json, settings, terminal }: DigestInput, plan: PeerPlan) {
  const status = yield* makeStatusLine(terminal, json)
  const say = (text: string): void => status.say(`peerstrap-m3db digest: ${text}`, { type: "message", text })
  for (const note of plan.notes) say(note)
  const result = yield* digestPeers({
    plan,
    namespace: settings.namespace!,
    blockSize: settings.blockSize!,
    hashSeed: settings.hashSeed,
    level: settings.level,
    memoryBytes: settings.memory,
    deadlineMillis: settings.deadline,
    callTimeoutMillis: settings.callTimeout,
    write: terminal.out,
    onUndecodable: ({ blockStart, shard }, id, what) =>
      say(`shard ${shard}, block ${formatNanos(blockStart)}, series ${id}: ${what}`),
    onStatus: (text) => Effect.sync(() => status.update(text))
  })
  const { missing, peers } = result.report
  for (const { blockStart, id, peers: of, reason, shard } of missing.entries.slice(0, shownMissing)) {
    const series = id === undefined ? "" : `, id 0x${id}`
    say(`missing: shard ${shard}, block ${formatNanos(BigInt(blockStart))}${series}: ${reason} (${of.join(", ")})`)
  }
  const end = endOf(result)
  const errors = peers.flatMap(({ id, lastError }) => (lastError === undefined ? [] : [`${id}: ${lastError}`]))
  const remedy = result.outcome._tag === "failed"
    ? result.outcome.remedy
    : `look at the peers${errors.length === 0 ? "" : ` (${errors.join("; ")})`}, or lower --level`
  const { datapoints, outcome, seriesBlocks, undecodable } = result
  if (json) {
    const counts = { seriesBlocks, datapoints, undecodable, outcome: outcome._tag, missing: missing.total, peers }
    status.say("", { type: "end", ...counts })
  }
  return {
    exitCode: end.exitCode,
    text: "",
    ...(end.exitCode === ExitCode.done ? {} : { error: { message: end.text, remedy } })
  } satisfies CommandResult as CommandResult
})

export const digest = command({
  name: "digest",
  summary: "Print one JSON line for each series and block, to compare data whatever its encoding",
  details: [
    "A line is {\"namespace\",\"shard\",\"id\",\"tags\",\"blockStart\",\"datapoints\",\"sha256\"}: id and encoded tags in hex (no tags: " +
    "\"\"), the block start in ns as a string, and SHA-256 over 16 bytes a datapoint in time order: timestamp in ns (int64, big " +
    "endian) and value (float64 bits, big endian). Lines are sorted by namespace, shard, id bytes and block start, so that diff and " +
    "cmp can compare two outputs.",
    "A directory is read at the highest complete volume of each block. What is damaged is told on standard error, has no line, " +
    "and the exit code is 1. With --peer the lines are those of what a bootstrap from these peers would store; one peer alone shows " +
    "its own data.",
    "With --json standard output still has these lines alone; the counts are a JSON line on standard error."
  ],
  operands: { name: "DIR", least: 0, most: 1, help: `${directoryOperand}. Without it: --peer or --placement.` },
  flags: digestFlags,
  linesOnly: true,
  examples: [
    { args: "digest /var/lib/m3db --namespace metrics > here.jsonl", says: "What a directory holds" },
    {
      args:
        "digest --peer a=10.0.0.1:9000 --namespace metrics --num-shards 64 --block-size 2h --from 2026-11-21T10:00:00Z " +
        "--to 2026-11-21T12:00:00Z > a.jsonl",
      says: "What replica a holds of one block"
    },
    {
      args:
        "digest --placement placement.json --namespace metrics --block-size 2h --from 2026-11-21T10:00:00Z --shards 0-7 " +
        "--level all --deadline 10m",
      says: "What a bootstrap from all replicas of eight shards would store"
    }
  ],
  check: (settings, operands, context, problem): DigestPlan | undefined => {
    if (operands[0] !== undefined) return checkDirectory(settings, operands[0], problem)
    const plan = planPeers(settings, context, problem)
    return plan === undefined ? undefined : { _tag: "peers", plan }
  },
  run: (input) => {
    const { plan } = input as DigestInput
    return plan?._tag === "peers"
      ? Effect.provide(runPeers(input, plan.plan), Tcp.layer)
      : Effect.provide(runDirectory(input, plan!), NodeFileSystem.layer)
  }
})
