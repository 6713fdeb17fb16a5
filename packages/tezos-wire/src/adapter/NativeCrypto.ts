/**
 * `Crypto` by libsodium's native binding (`sodium-native`, an optional dependency with prebuilt binaries): opens chunks about eight times as
 * fast as JavaScript does. Where the binding is missing or does not load, `layer` fails with `CryptoUnavailable`.
 */
import { hex } from "@scure/base"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeCrypto from "node:crypto"
import { createRequire } from "node:module"
import { Crypto, type CryptoFunctions, CryptoUnavailable } from "../contract/Crypto.ts"
import { hsalsa20 } from "../engine/HSalsa20.ts"

/** The part of `sodium-native` (which has no types) that is used. All arguments are bytes; outputs come first. */
interface SodiumNative {
  crypto_generichash(output: Uint8Array, input: Uint8Array): void
  crypto_scalarmult_base(publicKey: Uint8Array, secretKey: Uint8Array): void
  crypto_secretbox_easy(sealed: Uint8Array, plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
  /** May open in place: `plaintext` = `sealed` from byte 16 on. */
  crypto_secretbox_open_easy(plaintext: Uint8Array, sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean
  randombytes_buf(output: Uint8Array): void
}

/** Not called `require`, so that a bundler leaves the name to be found at run time. */
const loadModule = createRequire(import.meta.url)
/** The npm package that is loaded. */
export const moduleName = "sodium-native"

const tagBytes = 16
const secretKeyDer = hex.decode("302e020100300506032b656e04220420")
const publicKeyDer = hex.decode("302a300506032b656e032100")

const der = (prefix: Uint8Array, key: Uint8Array): Buffer => {
  const whole = Buffer.alloc(prefix.length + key.length)
  whole.set(prefix)
  whole.set(key, prefix.length)
  return whole
}

/** X25519 by OpenSSL, which refuses a result of zeros: that is what a public key of low order gives. */
const x25519 = (publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined => {
  const ours = NodeCrypto.createPrivateKey({ key: der(secretKeyDer, secretKey), format: "der", type: "pkcs8" })
  const theirs = NodeCrypto.createPublicKey({ key: der(publicKeyDer, publicKey), format: "der", type: "spki" })
  try {
    return NodeCrypto.diffieHellman({ privateKey: ours, publicKey: theirs })
  } catch {
    return undefined
  }
}

const make = (sodium: SodiumNative): CryptoFunctions => {
  const randomBytes = (length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    if (length > 0) sodium.randombytes_buf(bytes)
    return bytes
  }
  return {
    implementation: "native",
    blake2b: (bytes, digestBytes) => {
      const digest = new Uint8Array(digestBytes)
      sodium.crypto_generichash(digest, bytes)
      return digest
    },
    sha256: (bytes) => new Uint8Array(NodeCrypto.hash("sha256", bytes, "buffer")),
    keyPair: (secret) => {
      const secretKey = secret === undefined ? randomBytes(32) : new Uint8Array(secret)
      const publicKey = new Uint8Array(32)
      sodium.crypto_scalarmult_base(publicKey, secretKey)
      return { publicKey, secretKey }
    },
    sharedKey: (remotePublicKey, ownSecretKey) => {
      const point = x25519(remotePublicKey, ownSecretKey)
      return point === undefined ? undefined : hsalsa20(point)
    },
    sealInto: (out, at, plaintext, nonce, key) =>
      sodium.crypto_secretbox_easy(out.subarray(at, at + plaintext.length + tagBytes), plaintext, nonce, key),
    open: (sealed, nonce, key) => {
      if (sealed.length < tagBytes) return undefined
      const plaintext = sealed.subarray(tagBytes)
      return sodium.crypto_secretbox_open_easy(plaintext, sealed, nonce, key) ? plaintext : undefined
    },
    randomBytes
  }
}

/** Loads the binding under another name or path than usual, for tests of a machine that has none. */
export const loadFrom = (name: string): Effect.Effect<CryptoFunctions, CryptoUnavailable> =>
  Effect.try({
    try: () => {
      const crypto = make(loadModule(name) as SodiumNative)
      crypto.blake2b(new Uint8Array(1), 32)
      return crypto
    },
    catch: (cause) =>
      new CryptoUnavailable({
        implementation: "native",
        message: `${name} cannot be loaded (${String(cause).split("\n")[0]}); the portable implementation does the same`
      })
  })

/** Loads libsodium's native binding; fails where there is none. */
export const load: Effect.Effect<CryptoFunctions, CryptoUnavailable> = loadFrom(moduleName)

/** `Crypto` by libsodium's native binding. */
export const layer: Layer.Layer<Crypto, CryptoUnavailable> = Layer.effect(Crypto, load)
