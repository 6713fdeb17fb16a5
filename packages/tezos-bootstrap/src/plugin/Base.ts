/** Where a new Tezos store begins as the plugin `chain.base.tezos`: at genesis, or at a block that is asked of peers by its hash. */
import { BaseNotFound, ChainBase, ChainProtocol, findHeader, type FoundBase } from "@peerstrap/chain-bootstrap"
import { baseKind, protocolKind } from "@peerstrap/chain-bootstrap/plugin"
import { configDefault, configOptional, configValue, definePlugin, PluginRuntime, Type } from "@peerstrap/plugin-host"
import { Transport } from "@peerstrap/transport"
import { transportKind } from "@peerstrap/transport/plugin"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { TezosNetwork } from "../contract/Network.ts"
import { resolvePeers } from "../network/ResolvePeers.ts"
import { type BlockHash, blockHash, peerPoint } from "./ConfigTypes.ts"
import { networkKind } from "./Kinds.ts"

/** What progress is told of while the base is looked for: peers asked. */
export const findingBase = "finding base"

/** The header of a block that was named by its hash: asked of one peer after the other, proved by the hash. */
const ask = Effect.fnUntraced(function*(base: BlockHash, peers: ReadonlyArray<string>, timeoutMillis: number) {
  const network = yield* TezosNetwork
  const runtime = yield* PluginRuntime
  const { points } = yield* resolvePeers([...peers, ...network.peers])
  runtime.progress(findingBase, 0, points.length)
  let asked = 0
  const header = yield* findHeader({
    id: base.id,
    points,
    timeoutMillis,
    onTry: (point) => {
      runtime.progress(findingBase, asked++, points.length)
      runtime.event("base-asked", { point, base: base.text })
    }
  }).pipe(
    Effect.mapError(({ asked, base: id, message }) =>
      new BaseNotFound({ base: base.text, asked, message: message.replaceAll(id, base.text) })
    )
  )
  const { level } = header
  runtime.event("base-found", { level, hash: base.text }, `base ${base.text} is of level ${level}`)
  return { ref: { id: header.id, level }, header } satisfies FoundBase as FoundBase
})

/** Plugin `chain.base.tezos`: the network's genesis, or a block named by its hash. */
export const tezosBase = definePlugin({
  id: "chain.base.tezos",
  version: "0.1.0",
  stability: "stable",
  summary: "The network's genesis, or a block that is asked of peers by its hash.",
  provides: [baseKind],
  requires: [protocolKind, networkKind, transportKind],
  config: Schema.Struct({
    hash: configOptional(blockHash, "The block from which a new store begins. Default: the store's base, or genesis."),
    peers: Schema.Array(configValue(peerPoint, "A peer.")).annotate({
      description: "Peers that are asked for its header, before the network's own."
    }).pipe(Schema.withDecodingDefaultKey(Effect.succeed([]))),
    timeout: configDefault(Type.millis("15s"), "15s", "For each peer in turn.")
  }),
  layer: ({ hash, peers, timeout }) =>
    Layer.effect(
      ChainBase,
      Effect.gen(function*() {
        const services = yield* Effect.context<ChainProtocol | TezosNetwork | Transport | PluginRuntime>()
        const { rules } = yield* ChainProtocol
        const { genesis } = yield* TezosNetwork
        const decoded = genesis.header === undefined ? undefined : rules.decodeHeader(genesis.header)
        const header = typeof decoded === "string" ? undefined : decoded
        const first: FoundBase = { ref: { id: genesis.id, level: 0 }, header }
        return {
          wanted: hash?.id,
          genesis: header,
          find: hash === undefined || hash.id === genesis.id
            ? Effect.succeed(first)
            : Effect.provideContext(ask(hash, peers, timeout), services)
        }
      })
    )
})
