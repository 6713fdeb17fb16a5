/** The best `Crypto` that this machine has: native, else portable. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Crypto, type CryptoFunctions, type CryptoUnavailable } from "../contract/Crypto.ts"
import * as NativeCrypto from "./NativeCrypto.ts"
import * as PortableCrypto from "./PortableCrypto.ts"

/** Loads the best cryptography that this machine has: native, else portable; fails when neither loads. */
export const loadCrypto: Effect.Effect<CryptoFunctions, CryptoUnavailable> = Effect.catch(
  NativeCrypto.load,
  () => PortableCrypto.load
)

/** `Crypto`: native where `sodium-native` loads, else portable; fails only when neither does. */
export const cryptoLayer: Layer.Layer<Crypto, CryptoUnavailable> = Layer.effect(Crypto, loadCrypto)
