/** Reads a placement without being told its form. */
import type { Placement } from "../contract/Topology.ts"
import { isTopologyError, type TopologyError } from "../contract/TopologyError.ts"
import { readDocument } from "./Document.ts"
import { decodePlacementJson } from "./PlacementJson.ts"
import { decodePlacementProtobuf, placementHint } from "./PlacementProtobuf.ts"

/**
 * Reads M3's protobuf (a raw etcd value) or the coordinator's JSON, whichever `bytes` are; at most 16 MiB. It decodes only: whether
 * the placement is complete say `validateShardMap` and `validatePlacement`, and `shardOwners` before it gives out a map.
 */
export const readPlacement = (bytes: Uint8Array): Placement | TopologyError => {
  const document = readDocument(bytes, "placement", placementHint)
  if (isTopologyError(document)) return document
  if (document.kind === "json") return decodePlacementJson(document.value)
  const placement = decodePlacementProtobuf(document.bytes)
  return isTopologyError(placement) ? document.jsonError ?? placement : placement
}
