/**
 * The cryptography that the wire needs, as plain synchronous functions behind one service: `NativeCrypto` (libsodium, native) and
 * `PortableCrypto` (libsodium in WebAssembly) implement it and pass one kit (`@peerstrap/tezos-wire/testing`).
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

/** Digests without key. All results are fresh arrays of the caller. */
export interface Digests {
  /** blake2b with the digest length as a parameter of the hash (never a truncated longer digest). */
  blake2b(bytes: Uint8Array, digestBytes: 16 | 20 | 32): Uint8Array
  sha256(bytes: Uint8Array): Uint8Array
}

/** NaCl `crypto_box`: X25519, HSalsa20, XSalsa20-Poly1305. */
export interface Boxes {
  /** An X25519 pair, 32 bytes each; from `secret` when given, else random. */
  keyPair(secret?: Uint8Array): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array }
  /** `crypto_box_beforenm`: the 32-byte key of a pair of nodes; undefined when the public key is of low order. */
  sharedKey(remotePublicKey: Uint8Array, ownSecretKey: Uint8Array): Uint8Array | undefined
  /** Writes 16-byte tag ‖ ciphertext of `plaintext` to `out` at `at` (which holds `plaintext.length + 16` bytes there). Nonce: 24 bytes. */
  sealInto(out: Uint8Array, at: number, plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
  /** Opens tag ‖ ciphertext in place where it can: the plaintext may be a view on `sealed`. Undefined: authentication failed. */
  open(sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array | undefined
  readonly randomBytes: (length: number) => Uint8Array
}

export interface CryptoFunctions extends Digests, Boxes {
  /** `native` or `portable`. */
  readonly implementation: string
}

/** An implementation that cannot be loaded on this machine. Always a local fault; `cryptoLayer` then tries the other one. */
export class CryptoUnavailable extends Schema.TaggedError<CryptoUnavailable>()("CryptoUnavailable", {
  implementation: Schema.String,
  message: Schema.String
}) {}

/** Service: hashes, key agreement and boxes of the wire. */
export class Crypto extends Context.Service<Crypto, CryptoFunctions>()("@peerstrap/tezos-wire/Crypto") {}
