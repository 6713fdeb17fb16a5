/** Digest lines of what a bootstrap from these peers would store: the same run, with a sink that keeps digests only. */
import { FixedLevel, type Level } from "@peerstrap/consistency-policy"
import { BlockSink, type Outcome, PeerBlocks, type RunReport, startPeerStreaming } from "@peerstrap/m3db-bootstrap"
import { makeNodeClient } from "@peerstrap/m3db-wire"
import { formatCount, formatWait, mergeWaits } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import { planJobs } from "../bootstrap/BootstrapPlan.ts"
import { clientOptions, type PeerPlan } from "../inspect/PeerFlags.ts"
import { type DigestSinkOptions, makeDigestSink } from "./DigestSink.ts"

export interface DigestPeersOptions {
  readonly plan: PeerPlan
  readonly namespace: string
  /** ns. */
  readonly blockSize: bigint
  readonly hashSeed: number
  readonly level: Level
  /** Of buffers and of lines that wait. */
  readonly memoryBytes: number
  readonly deadlineMillis: number | undefined
  readonly callTimeoutMillis: number
  readonly write: DigestSinkOptions["write"]
  readonly onUndecodable: DigestSinkOptions["onUndecodable"]
  readonly onStatus: (text: () => string) => Effect.Effect<void>
}

export interface PeersDigest {
  readonly outcome: Outcome
  readonly report: RunReport
  readonly seriesBlocks: number
  readonly datapoints: number
  /** Verified streams that do not decode: they have no line. */
  readonly undecodable: number
}

/** Lines that wait may take a quarter of the memory, buffers of the run the rest. */
const shareOfLines = 0.25

const statusMillis = 250

/** Fails only with a defect: the outcome is a value. Lines of blocks that were not published are missing. */
export const digestPeers = Effect.fnUntraced(function*(options: DigestPeersOptions) {
  const { blockSize, hashSeed, level, memoryBytes, namespace, plan } = options
  const made = yield* makeDigestSink({
    namespace,
    shards: plan.shards,
    blocksPerShard: plan.starts.length,
    maxHeldBytes: memoryBytes * shareOfLines,
    write: options.write,
    onUndecodable: options.onUndecodable
  })
  const peers = yield* Effect.forEach(
    plan.peers,
    (peer) => makeNodeClient(clientOptions(peer, options.callTimeoutMillis))
  )
  const handle = yield* startPeerStreaming({
    stream: {
      namespace,
      blockSizeNanos: blockSize,
      replicationFactor: plan.replicationFactor,
      numShards: plan.numShards,
      hashSeed,
      errorPolicy: "002",
      encoding: "m3tsz",
      immutableEnd: plan.immutableEnd
    },
    jobs: planJobs({ ...plan, outPath: "", controlPath: "" }, () => false),
    memoryBytes: memoryBytes * (1 - shareOfLines),
    deadlineMillis: options.deadlineMillis
  }).pipe(
    Effect.provideService(PeerBlocks, PeerBlocks.of({ peers })),
    Effect.provideService(BlockSink, made.sink),
    Effect.provide(FixedLevel.layer(level))
  )
  const statusText = (): string => {
    const { jobs, peers: of, seriesBlocks } = handle.run.snapshot()
    const [wait] = mergeWaits(handle.run.waits())
    const errors = of.flatMap(({ id, lastError }) => (lastError === undefined ? [] : [`${id}: ${lastError}`]))
    return [
      `digest: ${formatCount(jobs.done)} of ${formatCount(jobs.total)} jobs, ${formatCount(seriesBlocks.stored)} of ${
        formatCount(seriesBlocks.listed)
      } series-blocks`,
      ...(wait === undefined ? [] : [formatWait(wait), ...errors])
    ].join("; ")
  }
  yield* Effect.suspend(() => options.onStatus(statusText)).pipe(
    Effect.andThen(Effect.sleep(statusMillis)),
    Effect.forever,
    Effect.forkScoped
  )
  const { outcome, report } = yield* handle.result
  yield* made.finish
  return { outcome, report, ...made.totals } satisfies PeersDigest as PeersDigest
})
