/** Cryptography of the Tezos wire as plugins of kind `tezos.crypto`. */
import { definePlugin, one, PluginRuntime } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { loadCrypto } from "../adapter/CryptoLayer.ts"
import * as NativeCrypto from "../adapter/NativeCrypto.ts"
import * as PortableCrypto from "../adapter/PortableCrypto.ts"
import { Crypto, type CryptoFunctions, type CryptoUnavailable } from "../contract/Crypto.ts"

/** Kind `tezos.crypto`: hashes and boxes of the wire. */
export const cryptoKind = one("tezos.crypto", Crypto, {
  summary: "Hashes and boxes of the Tezos wire.",
  metered: false
})

const pluginOf = (name: string, load: Effect.Effect<CryptoFunctions, CryptoUnavailable>, summary: string) =>
  definePlugin({
    id: `tezos.crypto.${name}`,
    version: "0.1.0",
    stability: "stable",
    summary,
    provides: [cryptoKind],
    requires: [],
    config: Schema.Struct({}),
    layer: () =>
      Layer.effect(
        Crypto,
        Effect.gen(function*() {
          const crypto = yield* load
          const runtime = yield* PluginRuntime
          runtime.report("ok", crypto.implementation)
          return crypto
        })
      )
  })

/** Plugin `tezos.crypto.native`: libsodium's native binding. */
export const nativeCrypto = pluginOf("native", NativeCrypto.load, "libsodium, native: the faster one.")

/** Plugin `tezos.crypto.portable`: libsodium in WebAssembly. */
export const portableCrypto = pluginOf(
  "portable",
  PortableCrypto.load,
  "libsodium in WebAssembly: runs wherever Node runs."
)

/** Plugin `tezos.crypto.any`: the native one where it loads, else the portable one. */
export const anyCrypto = pluginOf("any", loadCrypto, "The native one where it loads, else the portable one.")

/** All plugins of this package. */
export const cryptoPlugins = [nativeCrypto, portableCrypto, anyCrypto]
