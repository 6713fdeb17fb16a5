/**
 * Our side of S13: streams all blocks of all shards from the peers as `peerstrap-m3db bootstrap` does, with its defaults, into a sink that
 * counts and drops. Prints one JSON line.
 * Usage: Ours.ts ID=HOST:PORT,… NAMESPACE SHARDS START END PARALLEL BLOCK_SIZE (times in ns)
 */
import { FixedLevel } from "@peerstrap/consistency-policy"
import { BlockSink, PeerBlocks, startPeerStreaming } from "@peerstrap/m3db-bootstrap"
import { NodeClients, nodeClientsLayer } from "@peerstrap/m3db-wire"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { boundYoungGeneration } from "../../apps/m3db-bootstrapper/src/bootstrap/YoungGeneration.ts"

const [peerList, namespace, shards, start, end, parallel, blockSize] = process.argv.slice(2)
if (blockSize === undefined) throw new Error("Ours.ts needs seven arguments")

/** The default of `--memory`. */
const memoryBytes = 512 << 20
const numShards = Number(shards)
const size = BigInt(blockSize)

const addresses = peerList!.split(",").map((entry) => {
  const [, id, host, port] = /^([^=]+)=(.+):(\d+)$/.exec(entry) ?? []
  if (id === undefined) throw new Error(`"${entry}": want ID=HOST:PORT`)
  return { id, address: { host: host!, port: Number(port) } }
})

const blockStarts: Array<bigint> = []
for (let at = BigInt(start!); at < BigInt(end!); at += size) blockStarts.push(at)

const program = Effect.gen(function*() {
  yield* boundYoungGeneration
  const clients = yield* NodeClients
  const peers = yield* Effect.forEach(addresses, ({ address, id }) => clients.open(id, address))
  let blocks = 0
  let bytes = 0
  const sink = BlockSink.of({
    write: (batch) =>
      Effect.sync(() => {
        blocks += batch.count
        bytes += batch.bytes
      }),
    commit: () => Effect.void,
    abort: () => Effect.void
  })
  const handle = yield* startPeerStreaming({
    stream: {
      namespace: namespace!,
      blockSizeNanos: size,
      replicationFactor: peers.length,
      numShards,
      hashSeed: 0,
      errorPolicy: "002",
      encoding: "m3tsz"
    },
    jobs: Array.from(
      { length: numShards },
      (_, shard) => ({ shard, peers: peers.map((_, peer) => peer), blockStarts })
    ),
    memoryBytes,
    limits: { jobsInFlight: Number(parallel) }
  }).pipe(Effect.provideService(PeerBlocks, { peers }), Effect.provideService(BlockSink, sink))
  const { outcome } = yield* handle.result
  if (outcome._tag !== "complete") return yield* Effect.die(new Error(`the run ended ${JSON.stringify(outcome)}`))
  process.stdout.write(`${JSON.stringify({ blocks, bytes })}\n`)
})

await Effect.runPromise(
  Effect.scoped(program).pipe(
    Effect.provide(Layer.merge(Layer.provide(nodeClientsLayer(), Tcp.layer), FixedLevel.layer("majority")))
  )
)
