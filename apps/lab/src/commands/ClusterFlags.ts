/** The flags that say what embedded replicas hold and where they listen, shared by `replicas` and `demo`. */
import { type SeededShape, seededSpec } from "@peerstrap/m3db-wire/testing"
import { derived, duration, integer, oneOf, type Settings, text, time, withDefault } from "../cli/Flag.ts"
import type { ReplicaBehaviour } from "../replicas/ReplicaBehaviour.ts"
import { type ClusterPlan, completeBlocksStart, maxReplicas, replicaId } from "../replicas/ReplicaPlan.ts"

const shapeNames = ["mixed", "int", "float", "decimal", "counter", "constant", "special", "huge"] as const

const address = text("HOST", "a host name or an address", (given) => /^[\w.:-]+$/.test(given))
const name = text("NAME", "a name of 1 to 100 letters, digits, _ and -", (given) => /^[\w-]{1,100}$/.test(given))

export const clusterFlags = {
  series: withDefault(integer(1, 10_000_000), "20000", "series of the data set"),
  blocks: withDefault(integer(1, 1_000), "2", "blocks of each series"),
  points: withDefault(integer(1, 100_000), "60", "points of a series in a block"),
  tags: withDefault(integer(0, 19), "3", "tags of each series"),
  shape: withDefault<SeededShape>(
    oneOf(shapeNames),
    "mixed",
    "values; mixed: integers, floats and others, series by series"
  ),
  seed: withDefault(integer(0, 4_294_967_295), "1", "decides all of the data"),
  namespace: withDefault(name, "demo", "namespace"),
  shards: withDefault(integer(1, 4_096), "16", "shards of the namespace"),
  blockSize: withDefault(duration, "2h", "block size of the namespace"),
  start: derived(time, "so that the last block is complete", "start of the first block, aligned down"),
  host: withDefault(address, "127.0.0.1", "address to listen on"),
  basePort: withDefault(integer(0, 65_535), "0", "port of the first replica, the next ones follow; 0: any")
}

type ClusterSettings = Settings<typeof clusterFlags>

export interface ClusterChoice {
  readonly replicas: number
  readonly active: number
  readonly behaviours: ReadonlyArray<ReplicaBehaviour>
  readonly nowNanos: bigint
}

export const clusterPlan = (settings: ClusterSettings, choice: ClusterChoice): ClusterPlan => {
  const { basePort, blockSize, blocks, host, namespace, points, seed, series, shape, shards, tags } = settings
  const start = settings.start ?? completeBlocksStart(choice.nowNanos, blockSize, blocks)
  const { active, behaviours, replicas } = choice
  const spec = seededSpec({
    seed,
    namespace,
    numShards: shards,
    series,
    blocks,
    start,
    blockSize,
    points,
    tags,
    shape,
    active
  })
  return { replicas, host, basePort, spec, behaviours }
}

/** Problems beyond single flags. */
export const clusterProblems = (
  settings: ClusterSettings,
  replicas: number,
  behaviours: ReadonlyArray<ReplicaBehaviour>
): ReadonlyArray<string> => [
  ...behaviours
    .filter(({ id }) => id.charCodeAt(0) - 65 >= replicas)
    .map(({ id }) => `--behaviour: there is no replica ${id}, the last one is ${replicaId(replicas - 1)}`),
  ...(settings.basePort > 0 && settings.basePort + replicas - 1 > 65_535
    ? [`--base-port: ${replicas} replicas from port ${settings.basePort} on go beyond 65535`]
    : [])
]

export const replicaCount = integer(1, maxReplicas)
