/** Blocks that a shard lacks although other shards of its namespace have them. Pure. */
import type { ScannedNamespace } from "@peerstrap/m3db-files"

export interface BlockGap {
  readonly namespace: string
  readonly shard: number
  /** ns. */
  readonly blockStart: bigint
}

/**
 * A block counts as there when a complete volume of it is. What all shards lack is not seen: nothing says that it should exist.
 */
export const findGaps = (namespaces: ReadonlyArray<ScannedNamespace>): ReadonlyArray<BlockGap> => {
  const gaps: Array<BlockGap> = []
  for (const { namespace, shards } of namespaces) {
    const held = shards.map(({ filesets, shard }) => ({
      shard,
      starts: new Set(filesets.filter(({ complete }) => complete).map(({ blockStart }) => blockStart))
    }))
    const all = [...new Set(held.flatMap(({ starts }) => [...starts]))].toSorted((a, b) => (a < b ? -1 : 1))
    for (const { shard, starts } of held) {
      for (const blockStart of all) if (!starts.has(blockStart)) gaps.push({ namespace, shard, blockStart })
    }
  }
  return gaps
}
