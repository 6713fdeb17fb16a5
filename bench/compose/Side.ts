/**
 * Both sides of S10: the parts of a bootstrap composed, started and metered by the plugin host, or the layers of the same implementations
 * wired by hand. One program, so that both have the same modules loaded: a heap that grew while it loaded more collects less in the timed part.
 * Usage: Side.ts host|hand PORT BYTES COUNT BATCH_ITEMS
 */
import { FixedLevel } from "@peerstrap/consistency-policy"
import { fixedLevel } from "@peerstrap/consistency-policy/plugin"
import { BlockSink, PeerBlocks } from "@peerstrap/m3db-bootstrap"
import { discardSink, tchannelPeers } from "@peerstrap/m3db-bootstrap/plugin"
import { NodeClients, nodeClientsLayer } from "@peerstrap/m3db-wire"
import { compose, Host } from "@peerstrap/plugin-host"
import { Tcp } from "@peerstrap/transport"
import { tcp } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { tell } from "../method/Side.ts"
import { heldStream } from "../runs/HeldRun.ts"

const [how, ...numbers] = process.argv.slice(2)
const [port, bytes, count, maxBatchItems] = numbers.map(Number) as [number, number, number, number]
const stream = Effect.scoped(heldStream({ bytes, count, maxBatchItems }))

const byHost = () =>
  Host.run(
    compose(
      tcp({}),
      tchannelPeers({ peers: [{ id: "peer-0", host: "127.0.0.1", port }] }),
      fixedLevel({ level: "all" }),
      discardSink({})
    ),
    () => stream
  )

const byHand = () => {
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
  return Effect.tap(
    Effect.provide(stream, layers),
    () => written === count ? Effect.void : Effect.die(new Error(`${written} of ${count} blocks came to the sink`))
  )
}

tell(await Effect.runPromise(how === "host" ? byHost() : byHand()))
