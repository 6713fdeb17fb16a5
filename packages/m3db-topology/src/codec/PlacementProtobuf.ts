/** The placement as M3 keeps it in etcd: one bare protobuf message. (specs: peer streaming 4.2, 4.4) */
import { fromBinary } from "@bufbuild/protobuf"
import { Limits } from "../contract/Limits.ts"
import type { Placement } from "../contract/Topology.ts"
import { type TopologyError, topologyError } from "../contract/TopologyError.ts"
import { PlacementSchema } from "./generated/placement_pb.ts"
import { placementOf } from "./PlacementMessage.ts"
import { type Shape, walkProtobuf } from "./ProtobufWalk.ts"

const shardShape: Shape = {
  1: { name: "shard id", kind: "varint" },
  2: { name: "shard state", kind: "varint" },
  3: { name: "shard source_id", kind: "string" },
  4: { name: "shard cutover_nanos", kind: "varint" },
  5: { name: "shard cutoff_nanos", kind: "varint" },
  6: { name: "shard redirect_to_shard_id", kind: "message", shape: { 1: { name: "its value", kind: "varint" } } }
}

const instanceShape: Shape = {
  1: { name: "instance id", kind: "string" },
  2: { name: "instance isolation_group", kind: "string" },
  3: { name: "instance zone", kind: "string" },
  4: { name: "instance weight", kind: "varint" },
  5: { name: "instance endpoint", kind: "string" },
  6: { name: "instance shard", kind: "message", shape: shardShape, count: "shard entries" },
  7: { name: "instance shard_set_id", kind: "varint" },
  8: { name: "instance hostname", kind: "string" },
  9: { name: "instance port", kind: "varint" },
  10: { name: "instance metadata", kind: "message", shape: { 1: { name: "debug_port", kind: "varint" } } },
  11: { name: "instance subcluster_id", kind: "varint" }
}

const entryShape: Shape = {
  1: { name: "instance key", kind: "string" },
  2: { name: "instance", kind: "message", shape: instanceShape }
}

const placementShape: Shape = {
  1: { name: "instance entry", kind: "message", shape: entryShape, count: "instances" },
  2: { name: "replica_factor", kind: "varint" },
  3: { name: "num_shards", kind: "varint" },
  4: { name: "is_sharded", kind: "varint" },
  5: { name: "cutover_time", kind: "varint" },
  6: { name: "is_mirrored", kind: "varint" },
  7: { name: "max_shard_set_id", kind: "varint" },
  8: { name: "is_subclustered", kind: "varint" },
  9: { name: "instances_per_subcluster", kind: "varint" }
}

const limits = new Map([["instances", Limits.instances], ["shard entries", Limits.shardEntries]])

export const placementHint =
  "give the raw value of the etcd key _sd.placement/<env>/<service> (etcdctl get --print-value-only) or what the coordinator "
  + "answers to GET /api/v1/services/m3db/placement"

/** Decodes placementpb.Placement; at most `Limits.documentBytes` bytes. Fields that it does not know are skipped. */
export const decodePlacementProtobuf = (bytes: Uint8Array): Placement | TopologyError => {
  if (bytes.length > Limits.documentBytes) {
    return topologyError("too-large", "placement", [`${bytes.length} bytes, at most ${Limits.documentBytes} are read`])
  }
  const fault = walkProtobuf(bytes, placementShape, "the placement", limits)
  if (fault !== undefined) {
    const hint = fault.reason === "malformed" ? `; ${placementHint}` : ""
    return topologyError(fault.reason, "placement", [`byte ${fault.offset}: ${fault.message}${hint}`])
  }
  try {
    return placementOf(fromBinary(PlacementSchema, bytes, { readUnknownFields: false }), undefined)
  } catch (cause) {
    return topologyError("malformed", "placement", [`${String(cause)}; ${placementHint}`])
  }
}
