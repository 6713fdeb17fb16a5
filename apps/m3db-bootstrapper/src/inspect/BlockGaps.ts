/** Blocks that a shard lacks although other shards of its namespace have them. Pure. */
import type { ScannedNamespace } from "@peerstrap/m3db-files"

export interface BlockGap {
  readonly namespace: string
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
}

/**
 * A block counts as there when a complete volume of it is. What all shards lack is not seen: nothing says that it should exist. Of
 * `expectedShards` (from 0 on) those count, too, that are not there at all.
 */
export const findGaps = (
  namespaces: ReadonlyArray<ScannedNamespace>,
  expectedShards = 0
): ReadonlyArray<BlockGap> => {
  const gaps: Array<BlockGap> = []
  for (const { namespace, shards } of namespaces) {
    const there = new Set(shards.map(({ shard }) => shard))
    const absent = Array.from({ length: expectedShards }, (_, shard) => shard).filter((shard) => !there.has(shard))
    const held = shards.map(({ filesets, shard }) => ({
      shard,
      starts: new Set(filesets.filter(({ complete }) => complete).map(({ blockStart }) => blockStart))
    }))
    const all = [...new Set(held.flatMap(({ starts }) => [...starts]))].toSorted((a, b) => (a < b ? -1 : 1))
    const wanted = [...held, ...absent.map((shard) => ({ shard, starts: new Set<bigint>() }))]
    for (const { shard, starts } of wanted.toSorted((a, b) => a.shard - b.shard)) {
      for (const blockStart of all) if (!starts.has(blockStart)) gaps.push({ namespace, shard, blockStart })
    }
  }
  return gaps
}
