/**
 * The rules that M3 keeps when it changes a placement (specs: bootstrappers 6.2). Stricter than what a client needs for routing: a
 * placement may break one and still be streamed from, so the two lists are checked apart.
 */
import { Limits } from "../contract/Limits.ts"
import type { Instance, Placement, ShardAssignment } from "../contract/Topology.ts"
import { addTo, formatShards } from "./ShardList.ts"

const quoted = (id: string): string => `instance "${id}"`

const duplicates = (shards: ReadonlyArray<ShardAssignment>): ReadonlyArray<number> => {
  const seen = new Set<number>()
  const twice = new Set<number>()
  for (const { shard } of shards) (seen.has(shard) ? twice : seen).add(shard)
  return [...twice]
}

const instanceProblems = (placement: Placement): Array<string> => {
  const problems: Array<string> = []
  for (
    const [name, set] of [["mirrored", placement.isMirrored], ["sub-clustered", placement.isSubclustered]] as const
  ) {
    if (set && !placement.isSharded) problems.push(`the placement is ${name} but not sharded`)
  }
  for (const { endpoint, id, shards } of placement.instances) {
    if (endpoint === "") problems.push(`${quoted(id)} has no endpoint`)
    if (placement.isSharded && shards.length === 0) problems.push(`${quoted(id)} has no shards`)
    const twice = duplicates(shards)
    if (twice.length > 0) problems.push(`${quoted(id)} has shards ${formatShards(twice)} twice`)
    const unknown = shards.filter((each) => each.state === "unknown").map((each) => each.shard)
    if (unknown.length > 0) {
      problems.push(`${quoted(id)} has shards ${formatShards(unknown)} in a state that M3 does not know`)
    }
  }
  return problems
}

const key = (host: string, shard: number): string => `${shard} ${host}`

// Each shard that comes from somewhere pairs with exactly one that leaves there.
const handoverProblems = (placement: Placement): Array<string> => {
  const problems: Array<string> = []
  const leaving = new Map<string, number>()
  let initializing = 0
  let handedOver = 0
  for (const { id, shards } of placement.instances) {
    for (const each of shards) if (each.state === "leaving") leaving.set(key(id, each.shard), 0)
  }
  for (const { id, shards } of placement.instances) {
    for (const { shard, source, state } of shards) {
      if (state !== "initializing") continue
      initializing++
      if (source === undefined) continue
      handedOver++
      const matched = leaving.get(key(source, shard))
      if (matched === undefined) {
        problems.push(`${quoted(id)} takes shard ${shard} from "${source}", where it is not leaving`)
      } else if (matched > 0) {
        problems.push(`${quoted(id)} takes shard ${shard} from "${source}", which gives it to another already`)
      } else leaving.set(key(source, shard), 1)
    }
  }
  if (leaving.size !== handedOver) {
    problems.push(
      `${leaving.size} shards are leaving, ${handedOver} are initializing with a source; each needs the other`
    )
  }
  if (leaving.size > initializing) {
    problems.push(`${leaving.size} shards are leaving, only ${initializing} are initializing`)
  }
  return problems
}

const countProblems = (placement: Placement): Array<string> => {
  const { numShards, replicaFactor } = placement
  if (numShards > Limits.shards) return [`${numShards} shards, at most ${Limits.shards} are supported`]
  const perShard = new Map<number, number>()
  let total = 0
  for (const { shards } of placement.instances) {
    for (const { shard, state } of shards) {
      if (state !== "available" && state !== "initializing") continue
      perShard.set(shard, (perShard.get(shard) ?? 0) + 1)
      total++
    }
  }
  const problems: Array<string> = []
  if (total !== numShards * replicaFactor) {
    problems.push(`${total} shards are available or initializing, ${numShards} × ${replicaFactor} are needed`)
  }
  const wrong = new Map<number, Array<number>>()
  for (let shard = 0; shard < numShards; shard++) {
    const count = perShard.get(shard) ?? 0
    if (count !== replicaFactor) addTo(wrong, count, shard)
  }
  for (const [count, shards] of wrong) {
    problems.push(
      `shards ${
        formatShards(shards)
      } have ${count} available or initializing copies, the replica factor is ${replicaFactor}`
    )
  }
  return problems
}

const shardSetProblems = (instances: ReadonlyArray<Instance>): Array<string> => {
  const first = new Map<number, Instance>()
  return instances.flatMap((instance) => {
    if (instance.shardSetId === 0) return []
    const other = first.get(instance.shardSetId)
    if (other === undefined) {
      first.set(instance.shardSetId, instance)
      return []
    }
    const same = other.shards.length === instance.shards.length
      && other.shards.every((each, i) => each.shard === instance.shards[i]!.shard)
    return same
      ? []
      : [`${quoted(instance.id)} and "${other.id}" share shard set ${instance.shardSetId} but not their shards`]
  })
}

/** All broken rules of a placement, each with the instance and the shard; empty when M3 would accept it. */
export const validatePlacement = (placement: Placement): ReadonlyArray<string> => [
  ...instanceProblems(placement),
  ...handoverProblems(placement),
  ...countProblems(placement),
  ...shardSetProblems(placement.instances)
]
