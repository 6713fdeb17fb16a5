/** A cluster of embedded replicas over a transport of the test's choice, and a run against it into a sink in memory. */
import { type Level, LevelControl, SettableLevel } from "@peerstrap/consistency-policy"
import { makeNodeClient, toHex } from "@peerstrap/m3db-wire"
import {
  type ScriptedReplica,
  type ScriptedReplicaOptions,
  SeededReplica,
  type SeededSpec,
  type SeededVariation,
  startReplica
} from "@peerstrap/m3db-wire/testing"
import { decodeBlock, digestPointsWithUnits } from "@peerstrap/m3tsz"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { startPeerStreaming, type StreamingChoices } from "../../src/adapter/PeerStreaming.ts"
import { BlockSink } from "../../src/contract/BlockSink.ts"
import { PeerBlocks } from "../../src/contract/PeerBlocks.ts"
import type { StreamJob } from "../../src/contract/StreamRun.ts"
import { makeMemoryBlockSink, type MemoryBlockSink } from "../../src/testing/MemoryBlockSink.ts"

export interface Member extends Omit<ScriptedReplicaOptions, "data"> {
  readonly variation?: SeededVariation
  /** Nothing listens at its address. */
  readonly isDown?: boolean
}

export interface ClusterOptions extends Partial<Omit<StreamingChoices, "stream" | "jobs">> {
  readonly spec: SeededSpec
  readonly members: ReadonlyArray<Member>
  readonly level?: Level
  readonly replicationFactor?: number
  /** Default: all blocks of all shards. */
  readonly jobs?: ReadonlyArray<StreamJob>
  readonly sink?: (subject: MemoryBlockSink) => BlockSink["Service"]
}

export const startOf = (spec: SeededSpec, block: number): bigint => spec.start + BigInt(block) * spec.blockSize

const allJobs = (spec: SeededSpec, peers: number): ReadonlyArray<StreamJob> =>
  Array.from({ length: spec.numShards }, (_, shard) => ({
    shard,
    peers: Array.from({ length: peers }, (_, peer) => peer),
    blockStarts: Array.from({ length: spec.blocks }, (_, block) => startOf(spec, block))
  }))

/** Peers are named A, B, C, …; the handle's `result` is what the run came to. */
export const startCluster = Effect.fnUntraced(function*(options: ClusterOptions) {
  const { jobs, level, members, replicationFactor, sink, spec, ...streaming } = options
  const replicas: Array<ScriptedReplica> = []
  const clients = []
  for (const [index, { isDown, variation, ...member }] of members.entries()) {
    const replica = yield* startReplica({ ...member, data: new SeededReplica(spec, variation) })
    if (isDown === true) yield* replica.stop
    replicas.push(replica)
    clients.push(yield* makeNodeClient({ peer: String.fromCharCode(65 + index), address: replica.address }))
  }
  const subject = makeMemoryBlockSink()
  const levels = yield* Layer.build(SettableLevel.layer(level ?? "majority"))
  const handle = yield* startPeerStreaming({
    memoryBytes: 64 << 20,
    ...streaming,
    jobs: jobs ?? allJobs(spec, members.length),
    stream: {
      namespace: spec.namespace,
      blockSizeNanos: spec.blockSize,
      replicationFactor: replicationFactor ?? Math.max(1, members.length),
      numShards: spec.numShards,
      hashSeed: spec.hashSeed,
      errorPolicy: "002",
      encoding: "m3tsz"
    }
  }).pipe(
    Effect.provide(levels),
    Effect.provideService(PeerBlocks, { peers: clients }),
    Effect.provideService(BlockSink, sink === undefined ? subject.sink : sink(subject))
  )
  const control = Context.get(levels, LevelControl)
  return { handle, replicas, clients, subject, control }
})

/** Published series-blocks as `shard start id tags digest`, sorted; undefined blocks are left out. */
export const publishedLines = Effect.fnUntraced(function*(spec: SeededSpec, subject: MemoryBlockSink) {
  const lines: Array<string> = []
  for (let shard = 0; shard < spec.numShards; shard++) {
    for (let block = 0; block < spec.blocks; block++) {
      const blockStart = startOf(spec, block)
      for (const { bytes, id, tags } of (yield* subject.published({ shard, blockStart })) ?? []) {
        const points = decodeBlock([bytes], { maxPoints: 1 << 20 })
        if ("_tag" in points) throw new Error(points.message)
        lines.push(`${shard} ${blockStart} ${toHex(id)} ${toHex(tags)} ${digestPointsWithUnits(points)}`)
      }
    }
  }
  return lines.toSorted()
})

/** What a complete bootstrap publishes of these blocks (default all). */
export const truthLines = (spec: SeededSpec, isWanted: (blockStart: bigint) => boolean = () => true) => {
  const lines: Array<string> = []
  for (const { blockStart, encodedTags, id, points, shard } of new SeededReplica(spec).truth()) {
    if (!isWanted(blockStart)) continue
    const tags = encodedTags === undefined ? "" : toHex(encodedTags)
    lines.push(`${shard} ${blockStart} ${toHex(id)} ${tags} ${digestPointsWithUnits(points)}`)
  }
  return lines.toSorted()
}
