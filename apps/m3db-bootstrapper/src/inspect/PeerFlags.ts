/** Flags of the commands that ask live replicas without storing anything, and the plan that is made from them. */
import { type CheckContext, optional, type Problem, type Settings, Type, withDefault } from "@peerstrap/command-line"
import { defaultStreamLimits } from "@peerstrap/m3db-bootstrap"
import type { NodeClientOptions } from "@peerstrap/m3db-wire"
import { formatNanos } from "@peerstrap/progress"
import { bootstrapFlags } from "../bootstrap/BootstrapFlags.ts"
import { type BootstrapPlan, planBootstrap } from "../bootstrap/BootstrapPlan.ts"

const { bufferPast, callTimeout, hashSeed, numShards, peer, placement, shards, to } = bootstrapFlags

export const peerFlags = {
  peer,
  placement,
  numShards,
  hashSeed,
  shards: { ...shards, defaultText: "all" },
  blockSize: optional(Type.duration("2h"), "The namespace's block size."),
  bufferPast,
  from: optional(Type.time, "Begin of the range, widened to block bounds."),
  to: { ...to, help: "End of the range (exclusive), widened to block bounds. Later blocks are still written to." },
  memory: withDefault(Type.bytes(32 * 2 ** 20, 2 ** 40, "512MiB"), "512MiB", "What all buffers together may take."),
  callTimeout
} as const

export type PeerSettings = Settings<typeof peerFlags>

/** A plan of what to ask whom; nothing is written, whatever it says of paths. */
export type PeerPlan = Omit<BootstrapPlan, "outPath" | "controlPath">

/**
 * Checks the flags as `bootstrap` does. `namespace` and the flags without a default must be there: what is missing is told. Undefined when
 * something is wrong.
 */
export const planPeers = (
  settings: Partial<PeerSettings & { readonly namespace: string | undefined }>,
  context: CheckContext,
  problem: (problem: Problem) => void
): PeerPlan | undefined => {
  const { blockSize, from, namespace, ...rest } = settings
  const missing = (key: "namespace" | "blockSize" | "from", name: string, example: string): void => {
    // A flag that was given wrongly is no key of the settings, and told already.
    if (key in settings && settings[key] === undefined) {
      problem({ where: `--${name}`, message: `is missing; e.g. --${name} ${example}` })
    }
  }
  missing("namespace", "namespace", "metrics")
  missing("blockSize", "block-size", "2h")
  missing("from", "from", "2026-11-21T10:00:00Z")
  const plan = planBootstrap(
    {
      ...rest,
      ...(blockSize === undefined ? {} : { blockSize }),
      ...(from === undefined ? {} : { from }),
      ...(namespace === undefined ? {} : { namespace }),
      includeMutable: true,
      out: "."
    },
    [],
    context,
    problem
  )
  if (plan === undefined) return undefined
  return { ...plan, notes: notesOf(plan, from) }
}

const notesOf = (plan: BootstrapPlan, from: bigint | undefined): ReadonlyArray<string> => [
  ...(from === undefined || from === plan.from
    ? []
    : [`the range begins with the whole block of ${formatNanos(plan.from)}`]),
  ...(plan.to <= plan.immutableEnd
    ? []
    : [
      `blocks from ${formatNanos(plan.immutableEnd)} on are still written to: replicas may differ there without a fault`
    ])
]

/** Silence that ends a call. */
const idleTimeoutMillis = 15_000

export const clientOptions = (
  { address, id }: PeerPlan["peers"][number],
  callTimeoutMillis: number
): NodeClientOptions => ({
  peer: id,
  address,
  maxAnswerBytes: defaultStreamLimits.maxAnswerBytes,
  totalTimeoutMillis: callTimeoutMillis,
  idleTimeoutMillis: Math.min(idleTimeoutMillis, callTimeoutMillis)
})
