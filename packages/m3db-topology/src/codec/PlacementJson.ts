/**
 * The placement as M3's coordinator serves it: `{"placement": {"instances": {...}, ...}, "version": N}`, or the inner object alone.
 * Names in lowerCamel or snake_case, 64-bit numbers as text or number, a missing state is INITIALIZING.
 */
import { fromJson } from "@bufbuild/protobuf"
import { Limits } from "../contract/Limits.ts"
import type { Placement } from "../contract/Topology.ts"
import { type TopologyError, topologyError } from "../contract/TopologyError.ts"
import { isRecord, type Json } from "./Document.ts"
import { InstanceSchema, PlacementSchema, ShardSchema } from "./generated/placement_pb.ts"
import { placementOf } from "./PlacementMessage.ts"
import { placementHint } from "./PlacementProtobuf.ts"

type Schema = typeof PlacementSchema | typeof InstanceSchema | typeof ShardSchema

const faultOf = (schema: Schema, value: Json): string | undefined => {
  try {
    fromJson(schema, value as never, { ignoreUnknownFields: true })
    return undefined
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
}

const stateNames = new Set(["INITIALIZING", "AVAILABLE", "LEAVING"])

// Skipping unknown fields, the library also skips an unknown name of a state, which would then count as INITIALIZING.
const strangeState = (shard: Json): string | undefined => {
  const state = isRecord(shard) ? shard["state"] : undefined
  return typeof state !== "string" || stateNames.has(state)
    ? undefined
    : `state "${state}" is none of ${[...stateNames].join(", ")}`
}

const hasStrangeState = (instances: { readonly [key: string]: Json }): boolean =>
  Object.values(instances).some((each) => {
    const shards = isRecord(each) ? each["shards"] : undefined
    return Array.isArray(shards) && shards.some((shard: Json) => strangeState(shard) !== undefined)
  })

// The library names the field, not the instance; so look for the innermost object that cannot be decoded alone.
const locate = (placement: { readonly [key: string]: Json }): ReadonlyArray<string> => {
  const { instances, ...rest } = placement
  const problems: Array<string> = []
  const own = faultOf(PlacementSchema, rest)
  if (own !== undefined) problems.push(own)
  if (!isRecord(instances)) return [...problems, "instances is not an object"]
  for (const [key, instance] of Object.entries(instances)) {
    if (!isRecord(instance)) {
      problems.push(`instances["${key}"] is not an object`)
      continue
    }
    const { shards, ...alone } = instance
    const fault = faultOf(InstanceSchema, alone)
    if (fault !== undefined) problems.push(`instances["${key}"]: ${fault}`)
    if (shards === undefined || shards === null) continue
    if (!Array.isArray(shards)) problems.push(`instances["${key}"].shards is not an array`)
    else {
      for (const [i, shard] of (shards as ReadonlyArray<Json>).entries()) {
        const wrong = faultOf(ShardSchema, shard) ?? strangeState(shard)
        if (wrong !== undefined) problems.push(`instances["${key}"].shards[${i}]: ${wrong}`)
      }
    }
  }
  return problems
}

const overLimit = (instances: { readonly [key: string]: Json }): string | undefined => {
  const all = Object.values(instances)
  if (all.length > Limits.instances) return `${all.length} instances, at most ${Limits.instances} are read`
  let entries = 0
  for (const each of all) if (isRecord(each) && Array.isArray(each["shards"])) entries += each["shards"].length
  return entries > Limits.shardEntries ? `${entries} shard entries, at most ${Limits.shardEntries} are read` : undefined
}

const versionOf = (value: Json | undefined): number | undefined => {
  const version = typeof value === "string" ? Number(value) : value
  return typeof version === "number" && Number.isSafeInteger(version) && version >= 0 ? version : undefined
}

/** Decodes a parsed JSON document. Fields that it does not know are skipped; all problems are told at once. */
export const decodePlacementJson = (document: { readonly [key: string]: Json }): Placement | TopologyError => {
  const inner = document["placement"]
  const placement = isRecord(inner) ? inner : document
  const instances = placement["instances"]
  if (!isRecord(instances)) {
    return topologyError("malformed", "placement", [`the JSON has no object "instances"; ${placementHint}`])
  }
  const large = overLimit(instances)
  if (large !== undefined) return topologyError("too-large", "placement", [large])
  if (hasStrangeState(instances)) return topologyError("malformed", "placement", locate(placement))
  try {
    const message = fromJson(PlacementSchema, placement as never, { ignoreUnknownFields: true })
    return placementOf(message, isRecord(inner) ? versionOf(document["version"]) : undefined)
  } catch (cause) {
    const problems = locate(placement)
    return topologyError(
      "malformed",
      "placement",
      problems.length > 0 ? problems : [`${String(cause)}; ${placementHint}`]
    )
  }
}
