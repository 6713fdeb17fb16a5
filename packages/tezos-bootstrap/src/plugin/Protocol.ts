/** The Tezos wire under one identity as the plugin `chain.protocol.tezos`. */
import { ChainProtocol } from "@peerstrap/chain-bootstrap"
import { protocolKind } from "@peerstrap/chain-bootstrap/plugin"
import { configDefault, configOptional, configValue, definePlugin, PluginRuntime, Type } from "@peerstrap/plugin-host"
import { filesKind } from "@peerstrap/storage/plugin"
import { formatPeerId } from "@peerstrap/tezos-wire"
import { cryptoKind } from "@peerstrap/tezos-wire/plugin"
import { BufferMemory } from "@peerstrap/transport"
import { memoryKind } from "@peerstrap/transport/plugin"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { loadIdentity, makeIdentity } from "../adapter/NodeIdentity.ts"
import { tezosProtocol as protocolLayer } from "../adapter/TezosProtocol.ts"
import { TezosNetwork } from "../contract/Network.ts"
import { resolveNetwork } from "../network/ResolveNetwork.ts"
import { networkKind } from "./Kinds.ts"

/** What progress is told of while an identity is searched for: stamps tried, and how many are needed on average. */
export const searchingIdentity = "identity"

/** The identity that is kept, or one made now. */
const keptIdentity = Effect.fnUntraced(function*(path: string, difficulty: number) {
  const runtime = yield* PluginRuntime
  const found = yield* loadIdentity(path, difficulty)
  if (found !== undefined) {
    if (found.warning !== undefined) runtime.event("identity-open-to-others", { path }, `warning: ${found.warning}`)
    return found.identity
  }
  const hashes = (2 ** difficulty).toLocaleString("en-US")
  const text = `no identity at ${path} yet: making one with proof of work ${difficulty} (about ${hashes} hashes)`
  runtime.event("identity-missing", { path, difficulty }, text)
  const made = yield* makeIdentity({
    path,
    difficulty,
    onProgress: ({ expected, tried }) => runtime.progress(searchingIdentity, tried, Math.round(expected))
  })
  const peerId = formatPeerId(made.peerId)
  runtime.event("identity-made", { path, peerId }, `identity ${peerId} kept in ${path}`)
  return made
})

/** Plugin `chain.protocol.tezos`: a Tezos network over its own wire. */
export const tezosProtocol = definePlugin({
  id: "chain.protocol.tezos",
  version: "0.1.0",
  stability: "stable",
  summary: "A Tezos network over its p2p wire, under an identity that is made at the first start and kept.",
  provides: [protocolKind, networkKind],
  requires: [cryptoKind, filesKind, memoryKind],
  config: Schema.Struct({
    network: configValue(
      Type.text("NAME|FILE", "mainnet, shadownet, sandbox or the path of a network file", "mainnet"),
      "The network."
    ),
    identity: configDefault(Type.path("FILE", "identity.json"), "identity.json", "Our identity, of mode 600."),
    port: configDefault(Type.integer(0, 65_535, 9732), 0, "Where this node listens, told to peers; 0: nowhere."),
    handshakeTimeout: configOptional(Type.millis("10s"), "Time of a whole handshake.")
  }),
  layer: ({ handshakeTimeout, identity, network, port }) =>
    Layer.effectContext(Effect.gen(function*() {
      const facts = yield* resolveNetwork(network)
      const { ledger } = yield* BufferMemory
      const built = yield* Layer.build(
        protocolLayer({
          network: facts,
          identity: yield* keptIdentity(identity, facts.proofOfWork),
          ownPort: port,
          ledger,
          ...(handshakeTimeout === undefined ? {} : { handshakeTimeoutMillis: handshakeTimeout })
        })
      )
      return Context.make(ChainProtocol, Context.get(built, ChainProtocol)).pipe(Context.add(TezosNetwork, facts))
    }))
})
