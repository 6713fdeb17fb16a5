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
  const idLengths = new Int32Array(groups.length)
  let idBytes = 0
  for (let item = 0; item < groups.length; item++) {
    const length = grouping.idLength(groups[item]!)
    idLengths[item] = length
    idBytes += length
  }
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
  for (let item = 0; item < groups.length; item++) {
    const group = groups[item]!
    const at = writer.item(idLengths[item]!, grouping.startHi(group), grouping.startLo(group))
    grouping.copyId(group, writer.view, at)
  }
  return writer.finish()
}

/** About the bytes of ids and Thrift that come back with the answer. */
export const requestBytes = (request: BlocksRequest): number =>
  request.arg3?.length ?? request.ids.reduce((sum, { length }) => sum + length + itemBytes, 0)
