/** Injection into an Octez node as the plugin `chain.applier.octez-rpc`. */
import { BlockApplier, ChainProtocol } from "@peerstrap/chain-bootstrap"
import { applierKind, protocolKind, tellingApplier } from "@peerstrap/chain-bootstrap/plugin"
import { configDefault, configValue, definePlugin, PluginRuntime, Type } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { octezRpc } from "../adapter/OctezRpcApplier.ts"
import { TezosLimits } from "../contract/TezosLimits.ts"
import { rpcUrl } from "./ConfigTypes.ts"

/** Plugin `chain.applier.octez-rpc`: injects blocks into an Octez node. */
export const octezRpcApplier = definePlugin({
  id: "chain.applier.octez-rpc",
  version: "0.1.0",
  stability: "stable",
  summary: "Injects blocks into an Octez node, which validates and applies them.",
  provides: [applierKind],
  requires: [protocolKind],
  config: Schema.Struct({
    url: configValue(rpcUrl, "The node's RPC address; user and password in it go into Authorization, nowhere else."),
    timeout: configDefault(Type.millis("5m"), "5m", "For one answer: it comes after validation.")
  }),
  budgets: () => ({ connections: 1, descriptors: 1 }),
  limits: {
    answerBytes: { value: TezosLimits.rpcAnswerBytes, reason: "one answer: traces of errors have some KiB" }
  },
  layer: ({ timeout, url }) =>
    Layer.effect(
      BlockApplier,
      Effect.gen(function*() {
        const { chainId, name } = yield* ChainProtocol
        const applier = octezRpc({
          url,
          network: { chainId, chainName: name.replace(/^tezos /, "") },
          timeoutMillis: timeout
        })
        return tellingApplier(applier, yield* PluginRuntime)
      })
    )
})
