/** The namespace registry: M3's protobuf in etcd, or the coordinator's JSON. (specs: peer streaming 4.5; bootstrappers 7) */
import { fromBinary, fromJson } from "@bufbuild/protobuf"
import { Limits } from "../contract/Limits.ts"
import type { Namespace } from "../contract/Namespace.ts"
import { isTopologyError, type TopologyError, topologyError } from "../contract/TopologyError.ts"
import { isRecord, type Json, readDocument } from "./Document.ts"
import { type NamespaceOptions, type Registry, RegistrySchema } from "./generated/namespace_pb.ts"
import { type Field, type Shape, walkProtobuf } from "./ProtobufWalk.ts"

const hint =
  "give the raw value of the etcd key _kv/<env>/m3db.node.namespaces (etcdctl get --print-value-only) or what the coordinator "
  + "answers to GET /api/v1/services/m3db/namespace"

const varints = (of: string, ...numbers: ReadonlyArray<number>): Record<number, Field> =>
  Object.fromEntries(numbers.map((number) => [number, { name: `field ${number} of ${of}`, kind: "varint" as const }]))

const historyShape: Shape = {
  1: {
    name: "schema version",
    kind: "message",
    shape: { 1: { name: "deployId", kind: "string" } },
    count: "schema versions"
  }
}
const schemaShape: Shape = {
  1: { name: "schema history", kind: "message", shape: historyShape },
  2: { name: "schema defaultMessageName", kind: "string" }
}
const optionsShape: Shape = {
  ...varints("the namespace", 1, 2, 3, 4, 5, 7, 10),
  6: { name: "retention options", kind: "message", shape: varints("the retention options", 1, 2, 3, 4, 5, 6, 7) },
  8: { name: "index options", kind: "message", shape: varints("the index options", 1, 2) },
  9: { name: "schema options", kind: "message", shape: schemaShape }
}
const registryShape: Shape = {
  1: {
    name: "namespace entry",
    kind: "message",
    count: "namespaces",
    shape: {
      1: { name: "namespace name", kind: "string" },
      2: { name: "namespace", kind: "message", shape: optionsShape }
    }
  }
}
const limits = new Map([["namespaces", Limits.namespaces], ["schema versions", Limits.namespaces]])

const namespaceOf = (name: string, options: NamespaceOptions): Namespace => {
  const retention = options.retentionOptions
  const blockSizeNanos = retention?.blockSizeNanos ?? 0n
  const schema = options.schemaOptions
  return {
    name,
    blockSizeNanos,
    retentionNanos: retention?.retentionPeriodNanos ?? 0n,
    bufferPastNanos: retention?.bufferPastNanos ?? 0n,
    bufferFutureNanos: retention?.bufferFutureNanos ?? 0n,
    futureRetentionNanos: retention?.futureRetentionPeriodNanos ?? 0n,
    indexEnabled: options.indexOptions?.enabled ?? false,
    indexBlockSizeNanos: options.indexOptions?.blockSizeNanos ?? blockSizeNanos,
    bootstrapEnabled: options.bootstrapEnabled,
    flushEnabled: options.flushEnabled,
    snapshotEnabled: options.snapshotEnabled,
    writesToCommitLog: options.writesToCommitLog,
    coldWritesEnabled: options.coldWritesEnabled,
    hasSchema: (schema?.history?.versions.length ?? 0) > 0 || (schema?.defaultMessageName ?? "") !== ""
  }
}

const namespacesOf = (registry: Registry): ReadonlyArray<Namespace> =>
  Object.entries(registry.namespaces)
    .map(([name, options]) => namespaceOf(name, options))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))

const fromProtobuf = (bytes: Uint8Array): ReadonlyArray<Namespace> | TopologyError => {
  const fault = walkProtobuf(bytes, registryShape, "the registry", limits)
  if (fault !== undefined) {
    return topologyError(fault.reason, "namespaces", [`byte ${fault.offset}: ${fault.message}; ${hint}`])
  }
  try {
    return namespacesOf(fromBinary(RegistrySchema, bytes, { readUnknownFields: false }))
  } catch (cause) {
    return topologyError("malformed", "namespaces", [`${String(cause)}; ${hint}`])
  }
}

const fromDocument = (document: { readonly [key: string]: Json }): ReadonlyArray<Namespace> | TopologyError => {
  const registry = isRecord(document["registry"]) ? document["registry"] : document
  const namespaces = registry["namespaces"]
  if (!isRecord(namespaces)) {
    return topologyError("malformed", "namespaces", [`the JSON has no object "namespaces"; ${hint}`])
  }
  const count = Object.keys(namespaces).length
  if (count > Limits.namespaces) {
    return topologyError("too-large", "namespaces", [`${count} namespaces, at most ${Limits.namespaces} are read`])
  }
  const found: Array<Namespace> = []
  const problems: Array<string> = []
  for (const [name, options] of Object.entries(namespaces)) {
    try {
      const one = fromJson(RegistrySchema, { namespaces: { [name]: options } } as never, { ignoreUnknownFields: true })
      found.push(...namespacesOf(one))
    } catch (cause) {
      problems.push(`namespaces["${name}"]: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }
  if (problems.length > 0) return topologyError("malformed", "namespaces", problems)
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Reads M3's protobuf or the coordinator's JSON, whichever `bytes` are; at most 16 MiB. Sorted by name; it decodes only. */
export const readNamespaces = (bytes: Uint8Array): ReadonlyArray<Namespace> | TopologyError => {
  const document = readDocument(bytes, "namespaces", hint)
  if (isTopologyError(document)) return document
  if (document.kind === "json") return fromDocument(document.value)
  const namespaces = fromProtobuf(document.bytes)
  return isTopologyError(namespaces) ? document.jsonError ?? namespaces : namespaces
}
