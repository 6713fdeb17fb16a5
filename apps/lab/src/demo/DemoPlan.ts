/** What the demonstration of replicas does: the faults, the directory, the command lines of the bootstrapper. Pure. */
import type { ReplicaBehaviour } from "../replicas/ReplicaBehaviour.ts"
import type { RunningReplica } from "../replicas/ReplicaCluster.ts"
import type { ReplicaPlan } from "../replicas/ReplicaPlan.ts"

export const demoReplicas = 3

/**
 * A lacks series, B differs in others, C dies while it streams. No series is of both kinds: of such a one C and B would hold the only
 * copies, and without C no majority could vouch for the other.
 */
const faultEvery = 10

/** C dies in this call at the latest when it is asked for everything: each shard takes two listing calls. */
const deathCall = (shards: number): number => Math.max(1, Math.floor(shards * 1.5))

export const demoFaults = (shards: number): ReadonlyArray<ReplicaBehaviour> => [
  { id: "A", variation: { lackSeries: { every: faultEvery, remainder: 0 } }, behaviours: "" },
  { id: "B", variation: { otherValues: { every: faultEvery, remainder: 1 } }, behaviours: "" },
  { id: "C", variation: {}, behaviours: `die-after:${deathCall(shards)}` }
]

export const faultsInWords = (shards: number): string =>
  `A lacks every ${faultEvery}th series, B has other values in every ${faultEvery}th, ` +
  `C dies in the middle of its answer to call ${deathCall(shards)}`

/** A socket's path holds about 100 bytes. */
const maxSocketPathBytes = 100

/** Beside the files if the path is short enough. */
export const controlPathIn = (out: string, shortDirectory: () => string): string => {
  const path = `${out}/control.sock`
  return Buffer.byteLength(path) <= maxSocketPathBytes ? path : `${shortDirectory()}/control.sock`
}

export const bootstrapArgs = (
  spec: ReplicaPlan["spec"],
  replicas: ReadonlyArray<RunningReplica>,
  out: string,
  control: string
): ReadonlyArray<string> => {
  const end = spec.start + BigInt(spec.blocks) * spec.blockSize
  return [
    "bootstrap",
    ...replicas.flatMap(({ address, id }) => ["--peer", `${id}=${address}`]),
    "--namespace",
    spec.namespace,
    "--num-shards",
    String(spec.numShards),
    "--block-size",
    `${spec.blockSize / 1_000_000_000n}s`,
    "--from",
    String(spec.start),
    "--to",
    String(end),
    "--level",
    "majority",
    "--out",
    out,
    "--control",
    control,
    "--json"
  ]
}

export const verifyArgs = (spec: ReplicaPlan["spec"], out: string): ReadonlyArray<string> => [
  "verify",
  out,
  "--num-shards",
  String(spec.numShards),
  "--no-gaps",
  "--json"
]
