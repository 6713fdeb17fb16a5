/** The flags of `bootstrap`: the one source of its command line, config keys, validation and help. */
import { derived, many, optional, required, type Settings, toggle, Type, withDefault } from "@peerstrap/command-line"
import { levels } from "@peerstrap/consistency-policy"
import { logLevels } from "@peerstrap/plugin-host"
import { shardList } from "../inspect/ShardList.ts"

const mib = 2 ** 20
const maxUint32 = 4_294_967_295

const peer = Type.text("ID=HOST:PORT", "a host ID, an equals sign and an address", "a=10.0.0.1:9000")

export const bootstrapFlags = {
  peer: many(peer, "A replica to ask, with the host ID that the cluster knows it by. This, or --placement."),
  placement: optional(
    Type.path("FILE", "placement.json"),
    "The cluster's placement: the coordinator's JSON or the raw value of etcd. Each shard is asked from the instances that hold it, in any state."
  ),
  origin: optional(
    Type.text("ID", "a host ID", "node-4"),
    "The node that catches up, one of --peer or of the placement. It is never asked; with --placement its own shards are the default of --shards."
  ),
  namespace: required(Type.text("NAME", "a namespace of the cluster", "metrics"), "The namespace to stream."),
  numShards: optional(
    Type.integer(1, 65_536, 64),
    "Shards of the cluster. Required with --peer; a placement says it itself."
  ),
  hashSeed: withDefault(
    Type.integer(0, maxUint32, 0),
    "0",
    "The cluster's hashing seed, to check that series belong to their shard."
  ),
  shards: derived(shardList, "all, or those of --origin in the placement", "The shards to stream."),
  replicationFactor: derived(
    Type.integer(1, 30, 3),
    "the number of peers, or what the placement says",
    "Majorities are counted from it."
  ),
  blockSize: required(Type.duration("2h"), "The namespace's block size."),
  retention: optional(
    Type.duration("48h"),
    "The namespace's retention: the default of --from, and blocks that leave it during the run are dropped."
  ),
  bufferPast: withDefault(
    Type.durationOrZero("10m"),
    "10m",
    "How late writes may come: decides where the immutable range ends."
  ),
  from: derived(Type.time, "the beginning of --retention", "Begin of the range, widened to block bounds."),
  to: derived(
    Type.time,
    "the end of the immutable range",
    "End of the range (exclusive), widened to block bounds."
  ),
  includeMutable: toggle(
    "Allows --to behind the immutable range. Replicas still write to such blocks: these files do not replace a node's own bootstrap."
  ),
  level: withDefault(
    Type.oneOf(levels, "majority"),
    "majority",
    "The consistency level that each shard must reach. Can be changed while the run goes on: set-level."
  ),
  levelFile: optional(
    Type.path("FILE", "level.txt"),
    "A file with the level as one word; it is watched, and wins over --level while it is there."
  ),
  errorPolicy: withDefault(
    Type.oneOf(["002", "000"], "002"),
    "002",
    "002 retries until the level is met; 000 ends at the first peer whose metadata fails for good, data is best effort."
  ),
  out: required(Type.path("DIR", "/var/lib/m3db"), "Where to write: DIR/data/NAMESPACE/SHARD/fileset-…"),
  resume: toggle("Keeps blocks that are there and whole (checkpoint and digests hold) and fetches the others."),
  overwrite: toggle("Replaces blocks that are there."),
  deadline: optional(
    Type.millis("30m"),
    "Ends the run after this time with exit code 3; whole blocks stay, the rest is listed."
  ),
  memory: withDefault(
    Type.bytes(32 * mib, 2 ** 40, "512MiB"),
    "512MiB",
    "What all buffers together may take. Can be changed while the run goes on: set."
  ),
  jobsInFlight: withDefault(Type.integer(1, 256, 8), "8", "Shards (of up to 16 blocks each) worked on at once."),
  connectionsPerPeer: withDefault(Type.integer(2, 32, 4), "4", "One is for health, the others carry one call each."),
  window: withDefault(Type.integer(1, 64, 3), "3", "Batches in flight a peer."),
  batchBytes: withDefault(Type.bytes(16_384, 64 * mib, "4MiB"), "4MiB", "Largest batch of blocks asked for at once."),
  batchItems: withDefault(Type.integer(1, 4096, 4096), "4096", "Most blocks in a batch."),
  peerBytesPerSecond: optional(
    Type.bytes(1024, 2 ** 40, "50MB"),
    "Average rate that is asked of one peer; without it there is no limit. Can be changed while the run goes on: set."
  ),
  idleTimeout: withDefault(Type.millis("15s"), "15s", "Silence of a peer that ends a call."),
  callTimeout: withDefault(Type.millis("60s"), "60s", "Longest duration of one call."),
  encoding: withDefault(
    Type.oneOf(["m3tsz", "protobuf"], "m3tsz"),
    "m3tsz",
    "How the namespace encodes values. protobuf is copied as bytes; differing copies of it cannot be merged."
  ),
  mergeRule: withDefault(
    Type.oneOf(["most-replicas", "highest-peer"], "most-replicas"),
    "most-replicas",
    "Which point wins where replicas differ at the same time."
  ),
  ranking: withDefault(
    Type.oneOf(["least-loaded", "throughput-weighted"], "least-loaded"),
    "least-loaded",
    "Which of several peers with the same data is asked."
  ),
  logLevel: withDefault(
    Type.oneOf(logLevels, "debug"),
    "info",
    "From which level on what libraries log is told. Can be changed while the run goes on: set."
  ),
  control: derived(
    Type.path("PATH", "/run/peerstrap.sock"),
    "control.sock in --out",
    "The socket on which the run answers status, why and set-level."
  )
} as const

export type BootstrapSettings = Settings<typeof bootstrapFlags>
