/** The rate at which each peer is asked, as a plugin of kind `rate` with the live setting `bytes-per-second`. */
import { configDefault, configValue, definePlugin, one, PluginRuntime, Type } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { makeSettableRate } from "../adapter/SettableRate.ts"
import { PeerRateSource } from "../contract/PeerRateSource.ts"

/** Kind `rate`: bytes per second that are asked of each peer. */
export const peerRateKind = one("rate", PeerRateSource, {
  summary: "Bytes per second that are asked of each peer; it may change while a run goes on."
})

const rateType = Type.bytes(0, 2 ** 40, "50MB")

/** Plugin `rate.settable`: a rate that can be set while a run goes on. */
export const settableRate = definePlugin({
  id: "rate.settable",
  version: "0.1.0",
  stability: "stable",
  summary: "A rate that can be set while a run goes on.",
  provides: [peerRateKind],
  requires: [],
  config: Schema.Struct({
    bytesPerSecond: configDefault(rateType, 0, "The rate at first, averaged; 0: no limit.")
  }),
  layer: ({ bytesPerSecond }) =>
    Layer.effect(
      PeerRateSource,
      Effect.gen(function*() {
        const runtime = yield* PluginRuntime
        const rate = yield* makeSettableRate({ bytesPerSecond, origin: "config" })
        runtime.live("bytes-per-second", {
          summary: "bytes per second asked of each peer, 0: no limit",
          schema: configValue(rateType, "The rate."),
          current: () => rate.now().bytesPerSecond,
          apply: (value: number, origin) => rate.set({ bytesPerSecond: value, origin })
        })
        return rate.source
      })
    )
})

/** All plugins of kind `rate`. */
export const ratePlugins = [settableRate]
