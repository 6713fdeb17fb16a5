/** The whole of a run over a simulated network, in virtual time, while somebody sets the wall clock: nothing ends early or late. */
import { assert, describe, it } from "@effect/vitest"
import { FixedLevel } from "@peerstrap/consistency-policy"
import { makeNodeClient, type NodeClient } from "@peerstrap/m3db-wire"
import { startReplica } from "@peerstrap/m3db-wire/testing"
import { seedsFor, SimulatedTransport, simulateOrThrow } from "@peerstrap/simulator"
import { Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { startPeerStreaming } from "../../src/adapter/PeerStreaming.ts"
import { BlockSink } from "../../src/contract/BlockSink.ts"
import { PeerBlocks } from "../../src/contract/PeerBlocks.ts"
import { makeMemoryBlockSink } from "../../src/testing/MemoryBlockSink.ts"
import { publishedLines, truthLines } from "../support/Cluster.ts"
import { blockSize, firstBlock } from "../support/SimulatedCluster.ts"
import { makeTruth, scaledLimits, smallSize, type Truth } from "./FaultRun.ts"

const truths = seedsFor("fault-clock", 1).map((seed) => makeTruth(seed, smallSize))

/** The same clock with a wall that somebody sets `byMillis` further at `atMillis`. */
const jumping = (clock: Clock.Clock, atMillis: number, byMillis: number): Clock.Clock => {
  const began = clock.currentTimeMillisUnsafe()
  const millis = () => {
    const now = clock.currentTimeMillisUnsafe()
    return now - began < atMillis ? now : now + byMillis
  }
  return {
    ...clock,
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: () => BigInt(Math.round(millis() * 1e6)),
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(millis() * 1e6)))
  }
}

/** Three replicas, one of which refuses now and then, so that pauses are pending at any time. */
const wholeRun = (truth: Truth, jumpMillis: number) =>
  simulateOrThrow(
    { seed: truth.seed, startMillis: 1_795_250_000_000, link: { latencyMillis: 1, bytesPerSecond: 100_000 } },
    ({ network }) =>
      Effect.gen(function*() {
        const peers: Array<NodeClient> = []
        for (const peer of ["A", "B", "C"]) {
          const replica = yield* startReplica({
            data: truth.holding({}),
            behaviours: "error:busy:3",
            address: { host: peer, port: 9000 }
          }).pipe(Effect.provideService(Transport, SimulatedTransport.make(network, peer)))
          peers.push(
            yield* makeNodeClient({ peer, address: replica.address }).pipe(
              Effect.provideService(Transport, SimulatedTransport.make(network, "origin"))
            )
          )
        }
        const subject = makeMemoryBlockSink()
        const began = Number((yield* Clock.Clock).monotonicTimeNanosUnsafe()) / 1e6
        const handle = yield* startPeerStreaming({
          memoryBytes: 64 << 20,
          deadlineMillis: 60_000,
          jobs: Array.from({ length: truth.size.shards }, (_, shard) => ({
            shard,
            peers: [0, 1, 2],
            blockStarts: Array.from({ length: truth.size.blocks }, (_, block) => firstBlock + BigInt(block) * blockSize)
          })),
          stream: {
            namespace: "ns",
            blockSizeNanos: blockSize,
            replicationFactor: 3,
            numShards: truth.size.shards,
            hashSeed: 0,
            errorPolicy: "002",
            encoding: "m3tsz"
          },
          ...scaledLimits
        }).pipe(
          Effect.provide(FixedLevel.layer("majority")),
          Effect.provideService(PeerBlocks, { peers }),
          Effect.provideService(BlockSink, subject.sink)
        )
        const { outcome, report } = yield* handle.result
        const tookMillis = Number((yield* Clock.Clock).monotonicTimeNanosUnsafe()) / 1e6 - began
        return { outcome: outcome._tag, report, tookMillis, lines: yield* publishedLines(truth.spec, subject) }
      }).pipe(Effect.updateService(Clock.Clock, (clock) => jumping(clock, 100, jumpMillis)))
  )

describe("the wall clock is set in mid-run", { timeout: 60_000 }, () => {
  for (const [name, jumpMillis] of [["forward", 3_600_000], ["back", -3_600_000]] as const) {
    it(`an hour ${name}: no call, pause or deadline ends early or late, nobody is blamed`, async () => {
      for (const truth of truths) {
        const calm = (await wholeRun(truth, 0)).value
        const { lines, outcome, report, tookMillis } = (await wholeRun(truth, jumpMillis)).value
        assert.strictEqual(outcome, "complete")
        assert.deepStrictEqual(lines, truthLines(truth.spec))
        assert.strictEqual(tookMillis, calm.tookMillis)
        assert.deepStrictEqual(report.evidence.filter(({ verdict }) => verdict === "peer"), [])
      }
    })
  }
})
