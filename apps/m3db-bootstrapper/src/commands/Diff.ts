/** `diff`: live replicas against each other, from their metadata or from their data. */
import {
  command,
  CommandError,
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
import { makeNodeClient } from "@peerstrap/m3db-wire"
import { formatBytes, formatCount, formatDuration, jsonLine } from "@peerstrap/progress"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import type { PeerFailure } from "../diff/AskPeer.ts"
import { itemJson, itemText } from "../diff/DiffItem.ts"
import { type DiffFailure, diffReplicas, type DiffSummary, shardsAtOnce } from "../diff/DiffReplicas.ts"
import { clientOptions, peerFlags, type PeerPlan, planPeers } from "../inspect/PeerFlags.ts"

const diffFlags = {
  ...peerFlags,
  namespace: optional(Type.text("NAME", "a namespace of the cluster", "metrics"), "The namespace. Required."),
  deep: toggle(
    "Fetches what the metadata does not show to be the same from every replica that has it, and compares the points."
  ),
  limit: withDefault(
    Type.integer(0, 1_000_000, 100),
    "1000",
    "Most series-blocks that are printed; counts are complete whatever it is."
  ),
  deadline: withDefault(Type.millis("60s"), "60s", "A replica that fails for so long is given up, with exit code 3."),
  json: toggle("Standard output has JSON lines, the last one with counts and the exit code; standard error, too.")
} as const

type DiffInput = CommandInput<typeof diffFlags, PeerPlan | undefined>

const checkReplicas = (plan: PeerPlan, problem: (problem: Problem) => void): void => {
  const alone = plan.shards.find((shard) => (plan.peersOfShard.get(shard)?.length ?? 0) < 2)
  if (alone === undefined) return
  const message = plan.peers.length < 2
    ? "is given once; a comparison needs two replicas or more"
    : `shard ${alone} is on one replica only; choose others with --shards`
  problem({ where: "--peer", message })
}

/** Failures that show that the command line is wrong, not the replica. */
const usageReasons: ReadonlySet<PeerFailure["reason"]> = new Set(["unknown-namespace", "bad-request", "not-owned"])

const failureError = (failure: DiffFailure, deadlineMillis: number): CommandError => {
  if (failure._tag === "Memory") {
    const { bytes, rows, shard, share } = failure
    return new CommandError({
      exitCode: ExitCode.local,
      message:
        `the metadata of shard ${shard} does not fit: ${formatCount(rows)} series-blocks need ${
          formatBytes(bytes)
        } so far, ` +
        `each of ${shardsAtOnce} shards at once may take ${formatBytes(share)} (a part of --memory)`,
      remedy: "raise --memory, or compare a shorter range at a time with --from and --to"
    })
  }
  const { failures } = failure
  const lines = failures.map(({ address, message, peer, reason }) => `${peer} (${address}): ${reason}: ${message}`)
  const usage = failures.find(({ reason }) => usageReasons.has(reason))
  if (usage !== undefined) {
    return new CommandError({
      exitCode: ExitCode.usage,
      message: `the replicas refuse the question: ${lines.join("; ")}`,
      remedy: "check --namespace, --num-shards, --shards and who holds which shard (--placement)"
    })
  }
  return new CommandError({
    exitCode: failures.every(({ reason }) => reason === "local") ? ExitCode.local : ExitCode.peers,
    message: `not all replicas could be compared within ${formatDuration(deadlineMillis)}: ${lines.join("; ")}`,
    remedy: "bring them back, wait longer with --deadline, or leave them out"
  })
}

const summaryText = ({ deep, identical, items, replicas, seriesBlocks, unaligned }: DiffSummary): string => {
  const { different, missing, same, unknown } = seriesBlocks
  const total = same + different + missing + unknown
  const held = Object.entries(replicas).map(([name, held]) =>
    `${name} ${formatCount(held.seriesBlocks)} (${formatBytes(held.bytes)})`
  )
  const lines = [
    ...(items.told < items.total ? [`${formatCount(items.total - items.told)} more are not printed (--limit)`] : []),
    `${formatCount(total)} series-blocks: ${formatCount(same)} same, ${formatCount(different)} different, ${
      formatCount(missing)
    } missing somewhere, ${formatCount(unknown)} unknown (no checksum)`,
    ...(deep === undefined ? [] : [
      `by their points: ${formatCount(deep.samePoints)} of these same, ${
        formatCount(deep.differentPoints)
      } different, ${formatCount(deep.undecided)} undecided`
    ]),
    `held: ${held.join(", ")}`,
    ...(unaligned === 0
      ? []
      : [`${formatCount(unaligned)} listed blocks begin elsewhere and were not compared: is --block-size right?`]),
    identical ? "everything is the same" : "NOT everything was shown to be the same"
  ]
  return `${lines.join("\n")}\n`
}

const runDiff = Effect.fnUntraced(function*({ json, plan, settings, terminal }: DiffInput) {
  const { peersOfShard, peers, notes, shards, starts } = plan!
  const { deadline, namespace } = settings
  const status = yield* makeStatusLine(terminal, json)
  for (const text of notes) status.say(`peerstrap-m3db diff: ${text}`, { type: "message", text })
  const callTimeoutMillis = Math.min(settings.callTimeout, deadline)
  const clients = yield* Effect.forEach(peers, (peer) => makeNodeClient(clientOptions(peer, callTimeoutMillis)))
  const summary = yield* diffReplicas({
    namespace: namespace!,
    shards,
    replicasOf: (shard) => peersOfShard.get(shard)!.map((peer) => clients[peer]!),
    starts,
    blockSize: settings.blockSize!,
    deep: settings.deep,
    limit: settings.limit,
    memoryBytes: settings.memory,
    deadlineMillis: deadline,
    onRetry: ({ address, message, peer, reason }) =>
      Effect.sync(() => status.update(() => `diff: waiting for ${peer} (${address}): ${reason}: ${message}`)),
    onItems: (items) =>
      terminal.out(items.map((item) => json ? `${jsonLine(itemJson(namespace!, item))}\n` : itemText(item)).join("")),
    onShard: (done) =>
      Effect.sync(() => status.update(() => `diff: ${formatCount(done)} of ${formatCount(shards.length)} shards`))
  }).pipe(Effect.mapError((failure) => failureError(failure, deadline)))
  return {
    exitCode: summary.identical ? ExitCode.done : ExitCode.no,
    text: summaryText(summary),
    json: { summary: { ...summary, deep: summary.deep ?? null } }
  } satisfies CommandResult as CommandResult
})

export const diff = command({
  name: "diff",
  summary: "Compare live replicas with each other, series by series and block by block",
  details: [
    "Lists every shard on every replica and compares sizes and checksums: same, different, missing (on some), unknown (a replica gives " +
    "no checksum: its block is in several parts). What is not the same is printed, a line each, in order of shard, id and block. With " +
    "--deep it is fetched and compared point by point: the same points in different bytes count as the same.",
    "Exit code 0 only when everything was shown to be the same; unknown stays unknown without --deep. Replicas write to young blocks, " +
    "so that these differ without a fault: the default of --to leaves them out.",
    "With --json each printed series-block is a JSON line, and the last line has the summary."
  ],
  flags: diffFlags,
  examples: [
    {
      args: "diff --peer a=10.0.0.1:9000 --peer b=10.0.0.2:9000 --namespace metrics --num-shards 64 --block-size 2h " +
        "--from 2026-11-21T10:00:00Z",
      says: "Two replicas, from a time up to the newest block that no longer changes"
    },
    {
      args:
        "diff --placement placement.json --namespace metrics --block-size 2h --from 2026-11-21T10:00:00Z --shards 0-7 --deep --json",
      says: "Everyone who holds eight shards, by points where bytes differ, as JSON lines"
    }
  ],
  check: (settings, _operands, context, problem): PeerPlan | undefined => {
    const plan = planPeers(settings, context, problem)
    if (plan !== undefined) checkReplicas(plan, problem)
    return plan
  },
  run: (input) => Effect.provide(runDiff(input), Tcp.layer)
})
