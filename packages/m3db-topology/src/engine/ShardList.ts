/** Lists of shards as people write them: `0-7,12`. */
import { Limits } from "../contract/Limits.ts"
import { type TopologyError, topologyError } from "../contract/TopologyError.ts"

const longestText = 65_536

/**
 * Reads `0-7,12` into shard numbers, ascending, each once. Both ends of a range belong to it; spaces around commas are fine.
 * All problems are told at once; a shard must be below `numShards`.
 */
export const parseShards = (text: string, numShards: number): ReadonlyArray<number> | TopologyError => {
  if (text.length > longestText) {
    return topologyError("too-large", "shards", [`${text.length} characters, at most ${longestText} are read`])
  }
  if (numShards > Limits.shards) {
    return topologyError("too-large", "shards", [
      `the cluster has ${numShards} shards, at most ${Limits.shards} are supported`
    ])
  }
  const wanted = new Uint8Array(numShards)
  const problems: Array<string> = []
  for (const item of text.split(",").map((each) => each.trim())) {
    const found = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(item)
    if (found === null) {
      problems.push(`"${item}" is neither a shard (12) nor a range (0-7)`)
      continue
    }
    const first = Number(found[1])
    const last = Number(found[2] ?? found[1])
    if (last < first) problems.push(`range "${item}" ends before it begins; write ${last}-${first}`)
    else if (last >= numShards) problems.push(`"${item}": the cluster has ${numShards} shards, 0 to ${numShards - 1}`)
    else wanted.fill(1, first, last + 1)
  }
  if (problems.length > 0) return topologyError("usage", "shards", problems)
  const shards: Array<number> = []
  for (let shard = 0; shard < numShards; shard++) if (wanted[shard] === 1) shards.push(shard)
  return shards
}

/** Writes ascending shard numbers the short way: `0-7,12`. */
export const formatShards = (shards: ReadonlyArray<number>): string => {
  const items: Array<string> = []
  for (let i = 0; i < shards.length; i++) {
    const first = shards[i]!
    while (i + 1 < shards.length && shards[i + 1] === shards[i]! + 1) i++
    items.push(first === shards[i] ? String(first) : `${first}-${shards[i]}`)
  }
  return items.join(",")
}

/** Puts `value` into the list under `key`, beginning one when there is none. */
export const addTo = <K, V>(lists: Map<K, Array<V>>, key: K, value: V): void => {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
