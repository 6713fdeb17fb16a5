/**
 * The rival of S10: the layers of the same implementations, wired by hand.
 * Usage: WiredSide.ts PORT BYTES COUNT BATCH_ITEMS
 */
import { FixedLevel } from "@peerstrap/consistency-policy"
import { BlockSink, PeerBlocks } from "@peerstrap/m3db-bootstrap"
import { NodeClients, nodeClientsLayer } from "@peerstrap/m3db-wire"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { tell } from "../method/Side.ts"
import { heldStream } from "../runs/HeldRun.ts"

const [port, bytes, count, maxBatchItems] = process.argv.slice(2).map(Number) as [number, number, number, number]

const peers = Layer.effect(
  PeerBlocks,
  Effect.map(
    NodeClients.use((clients) => clients.open("peer-0", { host: "127.0.0.1", port })),
    (client) => ({ peers: [client] })
  )
)
const clients = nodeClientsLayer({ idleTimeoutMillis: 15_000, totalTimeoutMillis: 60_000 })

let written = 0
const sink = Layer.succeed(BlockSink, {
  write: (batch) => Effect.sync(() => void (written += batch.count)),
  commit: () => Effect.void,
  abort: () => Effect.void
})

const layers = Layer.mergeAll(
  Layer.provide(peers, Layer.provide(clients, Tcp.layer)),
  FixedLevel.layer("all"),
  sink
)

const measured = await Effect.runPromise(
  Effect.scoped(heldStream({ bytes, count, maxBatchItems })).pipe(Effect.provide(layers))
)
if (written !== count) throw new Error(`${written} of ${count} blocks came to the sink`)
tell(measured)
