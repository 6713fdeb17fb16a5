/** What one replica process serves, as a value that crosses from the parent to the process as a line of JSON. */
import { SeededReplica, type SeededSpec, type SeededVariation } from "@peerstrap/m3db-wire/testing"
import type { ReplicaBehaviour } from "./ReplicaBehaviour.ts"

export interface ReplicaPlan {
  readonly id: string
  readonly host: string
  /** 0: any. */
  readonly port: number
  readonly spec: SeededSpec
  readonly variation: SeededVariation
  readonly behaviours: string
}

/** A, B, C … as many as there are letters. */
export const maxReplicas = 26
export const replicaId = (index: number): string => String.fromCharCode(65 + index)

export interface ClusterPlan {
  readonly replicas: number
  readonly host: string
  readonly basePort: number
  readonly spec: SeededSpec
  /** Several for one replica add up; of the same name the last one counts. */
  readonly behaviours: ReadonlyArray<ReplicaBehaviour>
}

export const replicaPlans = ({ basePort, behaviours, host, replicas, spec }: ClusterPlan): ReadonlyArray<ReplicaPlan> =>
  Array.from({ length: replicas }, (_, index) => {
    const id = replicaId(index)
    const own = behaviours.filter((each) => each.id === id)
    return {
      id,
      host,
      port: basePort === 0 ? 0 : basePort + index,
      spec,
      variation: Object.assign({}, ...own.map(({ variation }) => variation)) as SeededVariation,
      behaviours: own.map(({ behaviours }) => behaviours).filter((text) => text !== "").join("+")
    }
  })

/** The data that a replica of this plan holds. */
export const holdingsOf = (plan: ReplicaPlan): SeededReplica => new SeededReplica(plan.spec, plan.variation)

export const encodePlan = (plan: ReplicaPlan): string =>
  JSON.stringify({
    ...plan,
    spec: { ...plan.spec, start: String(plan.spec.start), blockSize: String(plan.spec.blockSize) }
  })

/** Reads what `encodePlan` of this very program wrote. Throws on anything else. */
export const decodePlan = (line: string): ReplicaPlan => {
  const { spec, ...plan } = JSON.parse(line)
  return { ...plan, spec: { ...spec, shards: undefined, start: BigInt(spec.start), blockSize: BigInt(spec.blockSize) } }
}

/** ns: M3's default `buffer_past`; a block takes writes until so long after its end. */
const bufferPast = 600_000_000_000n

/** The start of the newest `blocks` blocks that no longer change at `now`. All in ns. */
export const completeBlocksStart = (now: bigint, blockSize: bigint, blocks: number): bigint => {
  const past = now - bufferPast
  return past - past % blockSize - BigInt(blocks) * blockSize
}
