/** The flags that say what embedded replicas hold and where they listen, shared by `replicas` and `demo`. */
import { derived, type FlagType, type Problem, type Settings, Type, withDefault } from "@peerstrap/command-line"
import { type SeededShape, seededSpec } from "@peerstrap/m3db-wire/testing"
import type { ReplicaBehaviour } from "../replicas/ReplicaBehaviour.ts"
import { type ClusterPlan, completeBlocksStart, maxReplicas, replicaId } from "../replicas/ReplicaPlan.ts"

const shapeNames = ["mixed", "int", "float", "decimal", "counter", "constant", "special", "huge"] as const

const address = Type.text("HOST", "a host name or an address", "127.0.0.1", (given) => /^[\w.:-]+$/.test(given))
const name = Type.text(
  "NAME",
  "a name of 1 to 100 letters, digits, _ and -",
  "demo",
  (given) => /^[\w-]{1,100}$/.test(given)
)

/** The bootstrapper is told block sizes in seconds. */
const wholeSeconds: FlagType<bigint> = {
  ...Type.duration("2h"),
  expected: "a duration of whole seconds such as 2h, 90m or 30s",
  parse: (given) => {
    const nanos = Type.duration("2h").parse(given)
    return nanos === undefined || nanos % 1_000_000_000n !== 0n ? undefined : nanos
  }
}

export const clusterFlags = {
  series: withDefault(Type.integer(1, 10_000_000, 2_000), "20000", "Series of the data set."),
  blocks: withDefault(Type.integer(1, 1_000, 2), "2", "Blocks of each series."),
  points: withDefault(Type.integer(1, 100_000, 60), "60", "Points of a series in a block."),
  tags: withDefault(Type.integer(0, 19, 3), "3", "Tags of each series."),
  shape: withDefault<SeededShape>(
    Type.oneOf(shapeNames, "mixed"),
    "mixed",
    "Values; mixed: integers, floats and others, series by series."
  ),
  seed: withDefault(Type.integer(0, 4_294_967_295, 1), "1", "Decides all of the data."),
  namespace: withDefault(name, "demo", "The namespace."),
  shards: withDefault(Type.integer(1, 4_096, 16), "16", "Shards of the namespace."),
  blockSize: withDefault(wholeSeconds, "2h", "Block size of the namespace."),
  start: derived(Type.time, "so that the last block is complete", "Start of the first block, aligned down."),
  host: withDefault(address, "127.0.0.1", "Address to listen on."),
  basePort: withDefault(
    Type.integer(0, 65_535, 9_000),
    "0",
    "Port of the first replica, the next ones follow; 0: any."
  )
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

/** Rules between flags; what was given wrongly is undefined and told elsewhere. */
export const checkCluster = (
  { basePort, behaviours, replicas }: {
    readonly basePort: number | undefined
    readonly behaviours: ReadonlyArray<ReplicaBehaviour>
    readonly replicas: number
  },
  problem: (problem: Problem) => void
): void => {
  for (const { id } of behaviours.filter(({ id }) => id.charCodeAt(0) - 65 >= replicas)) {
    problem({ where: "--behaviour", message: `there is no replica ${id}, the last one is ${replicaId(replicas - 1)}` })
  }
  if (basePort !== undefined && basePort > 0 && basePort + replicas - 1 > 65_535) {
    problem({ where: "--base-port", message: `${replicas} replicas from port ${basePort} on go beyond 65535` })
  }
}

export const replicaCount = Type.integer(1, maxReplicas, 3)
