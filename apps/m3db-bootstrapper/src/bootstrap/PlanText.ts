/** What a bootstrap will do, said before it begins. */
import { formatNanosDuration, type Reporter } from "@peerstrap/command-line"
import { type Level, requiredSuccesses } from "@peerstrap/consistency-policy"
import { majority } from "@peerstrap/consistency-policy"
import { formatShards } from "@peerstrap/m3db-topology"
import type { RunningHost } from "@peerstrap/plugin-host"
import { formatBytes, formatCount, formatNanos } from "@peerstrap/progress"
import { formatAddress } from "@peerstrap/transport"
import type { BootstrapSettings } from "./BootstrapFlags.ts"
import type { BootstrapPlan } from "./BootstrapPlan.ts"
import { canSetLevel, levelPart } from "./ControlCommands.ts"
import type { Existing } from "./Existing.ts"
import { filesetOutputOf, sinkName } from "./FilesetOutput.ts"
import { placeFlag } from "./Remedies.ts"

interface Announced {
  readonly host: RunningHost<never>
  readonly plan: BootstrapPlan
  readonly settings: BootstrapSettings
  readonly existing: Existing
  readonly level: Level
  readonly origin: string
  /** What the run's buffers may take together. */
  readonly memoryBytes: number
}

const levelLine = ({ host, level, origin, plan }: Announced): string => {
  const holders = [...plan.peersOfShard.values()].map((peers) => peers.length)
  const peers = Math.min(...holders)
  const needed = requiredSuccesses(level, { majority: majority(plan.replicationFactor), peers })
  const how = canSetLevel(host)
    ? `change it with: peerstrap-m3db set-level LEVEL ${placeFlag(plan)}`
    : `${levelPart(host.graph)} does not change it`
  return `level ${level} (${origin}): ${needed} of ${peers} peers must list a shard; ${how}`
}

const existingLines = ({ damaged, kept, replaced }: Existing): Array<string> => [
  ...(kept.size === 0 ? [] : [`kept: ${formatCount(kept.size)} filesets that are there and whole`]),
  ...(damaged.length === 0 ? [] : [`fetched again: ${formatCount(damaged.length)} filesets that are damaged`]),
  ...(replaced === 0 ? [] : [`replaced: ${formatCount(replaced)} filesets (--overwrite)`])
]

export const announcePlan = (announced: Announced, reporter: Reporter): void => {
  const { existing, host: { graph }, level, memoryBytes, plan, settings } = announced
  const filesets = filesetOutputOf(graph)
  const blocks = plan.shards.length * plan.starts.length
  reporter.event("plan", {
    namespace: settings.namespace,
    shards: formatShards(plan.shards),
    from: plan.from,
    to: plan.to,
    blocks,
    kept: existing.kept.size,
    level,
    peers: plan.peers.map(({ address, id }) => ({ id, address: formatAddress(address) })),
    out: plan.outPath,
    control: plan.controlPath,
    notes: plan.notes,
    plugins: graph.nodes.map(({ name }) => name)
  })
  const lines = [
    `namespace ${settings.namespace}: ${plan.shards.length} shards (${formatShards(plan.shards)}) × ` +
    `${plan.starts.length} blocks of ${formatNanosDuration(settings.blockSize)} = ${formatCount(blocks)} ${
      filesets === undefined ? "in all" : "filesets"
    }`,
    `range ${formatNanos(plan.from)} to ${formatNanos(plan.to)}`,
    ...plan.notes,
    `peers: ${plan.peers.map(({ address, id }) => `${id}=${formatAddress(address)}`).join(", ")}`,
    levelLine(announced),
    `memory ${formatBytes(memoryBytes)}, ${settings.jobsInFlight} jobs in flight`,
    ...existingLines(existing),
    `output: ${
      filesets === undefined
        ? `${sinkName(graph)}, of which nothing is read again`
        : `${filesets.out}/data/${filesets.namespace}`
    }, control socket: ${plan.controlPath}`
  ]
  reporter.say(lines.join("\n"))
}
