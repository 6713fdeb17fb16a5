/** Requests for blocks of one job, written straight from where its grouping keeps the ids. */
import { type BlocksRequest, BlocksRequestWriter, Limits as WireLimits } from "@peerstrap/m3db-wire"
import type { ShardState } from "./ShardState.ts"

/** More than a request has beside its ids, for each item and for itself. */
const itemBytes = 32

/** The request for these groups, item i for group i. */
export const blocksRequest = (
  { grouping, shard }: Pick<ShardState, "grouping" | "shard">,
  groups: ReadonlyArray<number>,
  namespace: Uint8Array
): BlocksRequest => {
  let idBytes = 0
  for (const group of groups) idBytes += grouping.idLength(group)
  if (idBytes + namespace.length + (groups.length + 2) * itemBytes > WireLimits.maxRequestBytes) {
    // The client refuses what is too large to be sent.
    return {
      namespace,
      shard,
      ids: groups.map((group) => grouping.id(group)),
      startHi: Int32Array.from(groups, (group) => grouping.startHi(group)),
      startLo: Int32Array.from(groups, (group) => grouping.startLo(group))
    }
  }
  const writer = new BlocksRequestWriter(namespace, shard, groups.length, idBytes)
  for (const group of groups) {
    const at = writer.item(grouping.idLength(group), grouping.startHi(group), grouping.startLo(group))
    grouping.copyId(group, writer.view, at)
  }
  return writer.finish()
}
