/** `Crypto` by libsodium compiled to WebAssembly: runs wherever Node runs, at about a fifth of the native binding's speed on chunks. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeCrypto from "node:crypto"
import { Crypto, type CryptoFunctions, CryptoUnavailable } from "../contract/Crypto.ts"

type Sodium = typeof import("libsodium-wrappers")

/** The npm package that is loaded. */
export const moduleName = "libsodium-wrappers"

const make = (sodium: Sodium): CryptoFunctions => ({
  implementation: "portable",
  blake2b: (bytes, digestBytes) => sodium.crypto_generichash(digestBytes, bytes, null),
  sha256: (bytes) => new Uint8Array(NodeCrypto.hash("sha256", bytes, "buffer")),
  keyPair: (secret) => {
    const secretKey = secret === undefined ? sodium.randombytes_buf(32) : new Uint8Array(secret)
    return { publicKey: sodium.crypto_scalarmult_base(secretKey), secretKey }
  },
  sharedKey: (remotePublicKey, ownSecretKey) => {
    try {
      return sodium.crypto_box_beforenm(remotePublicKey, ownSecretKey)
    } catch {
      return undefined
    }
  },
  sealInto: (out, at, plaintext, nonce, key) => out.set(sodium.crypto_secretbox_easy(plaintext, nonce, key), at),
  open: (sealed, nonce, key) => {
    try {
      return sodium.crypto_secretbox_open_easy(sealed, nonce, key)
    } catch {
      return undefined
    }
  },
  randomBytes: (length) => sodium.randombytes_buf(length)
})

const unavailable = (cause: unknown): CryptoUnavailable =>
  new CryptoUnavailable({
    implementation: "portable",
    message: `${moduleName} cannot be loaded: ${String(cause).split("\n")[0]}`
  })

/** Loaded when asked for, not with the package: compiling the WebAssembly costs a few milliseconds and megabytes. */
export const load: Effect.Effect<CryptoFunctions, CryptoUnavailable> = Effect.tryPromise({
  try: async () => {
    const loaded = await import("libsodium-wrappers") as Sodium & { readonly default?: Sodium }
    const sodium = loaded.default ?? loaded
    await sodium.ready
    return make(sodium)
  },
  catch: unavailable
})

/** `Crypto` by libsodium in WebAssembly. */
export const layer: Layer.Layer<Crypto, CryptoUnavailable> = Layer.effect(Crypto, load)
