/** Replicas over TChannel as the plugin `m3db.peers.tchannel`. */
import { Limits, NodeClients, nodeClientsLayer } from "@peerstrap/m3db-wire"
import { configDefault, definePlugin, Type } from "@peerstrap/plugin-host"
import { transportKind } from "@peerstrap/transport/plugin"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { PeerBlocks } from "../contract/PeerBlocks.ts"
import { peersKind } from "./Kinds.ts"

const Peer = Schema.Struct({
  id: Schema.NonEmptyString.annotate({ description: "Host id, as the cluster knows it." }),
  host: Schema.NonEmptyString.annotate({ description: "Name or address to dial." }),
  port: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 })).annotate({
    description: "Port of the node's TChannel server; M3DB's own default is 9000."
  })
})

/** Plugin `m3db.peers.tchannel`: M3DB nodes, asked over TChannel. */
export const tchannelPeers = definePlugin({
  id: "m3db.peers.tchannel",
  version: "0.1.0",
  stability: "stable",
  summary: "M3DB nodes, asked over TChannel.",
  provides: [peersKind],
  requires: [transportKind],
  config: Schema.Struct({
    peers: Schema.NonEmptyArray(Peer).annotate({ description: "The replicas, with the host ids of the cluster." }),
    connections: configDefault(
      Type.integer(2, 32, 4),
      Limits.connectionsPerPeer,
      "Connections a peer; one is for health."
    ),
    idleTimeout: configDefault(Type.millis("15s"), "15s", "Silence of a peer that ends a call."),
    callTimeout: configDefault(Type.millis("60s"), "60s", "Longest duration of one call.")
  }),
  budgets: ({ connections, peers }) => ({
    connections: connections * peers.length,
    descriptors: connections * peers.length
  }),
  limits: {
    maxAnswerBytes: { value: Limits.maxAnswerBytes, reason: "longest answer that is held" }
  },
  layer: ({ callTimeout, connections, idleTimeout, peers }) =>
    Layer.effect(
      PeerBlocks,
      Effect.gen(function*() {
        const context = yield* Layer.build(
          nodeClientsLayer({ connections, idleTimeoutMillis: idleTimeout, totalTimeoutMillis: callTimeout })
        )
        const clients = Context.get(context, NodeClients)
        return { peers: yield* Effect.forEach(peers, ({ host, id, port }) => clients.open(id, { host, port })) }
      })
    )
})
