/** The kit of `Crypto`: every check registered with a test runner for a layer, and implementations with one mistake each. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as NodeCrypto from "node:crypto"
import { Crypto, type CryptoFunctions } from "../contract/Crypto.ts"
import { cryptoChecks } from "./CryptoChecks.ts"

/** How a test runner is told of a test: `it` of vitest, `test` of node:test, and others. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown

/**
 * Registers every check of `Crypto`'s contract for a layer.
 *
 * `cryptoSuite("NativeCrypto", NativeCrypto.layer, it)`
 */
export const cryptoSuite = <E>(name: string, layer: Layer.Layer<Crypto, E>, register: RegisterTest): void => {
  for (const check of cryptoChecks) {
    register(`${name}: ${check.name}`, () => Effect.runPromise(Effect.provide(Effect.map(Crypto, check.run), layer)))
  }
}

/** The names of the checks that an implementation fails. */
export const failedCryptoChecks = (crypto: CryptoFunctions): ReadonlyArray<string> =>
  cryptoChecks.filter((check) => {
    try {
      check.run(crypto)
      return false
    } catch {
      return true
    }
  }).map((check) => check.name)

/** Cryptography with one mistake, and the check that must reject it. */
export interface CryptoMutant {
  readonly name: string
  /** The beginning of the name of a check that must fail; others may, too. */
  readonly rejectedBy: string
  readonly of: (crypto: CryptoFunctions) => CryptoFunctions
}

const mutant = (
  name: string,
  rejectedBy: string,
  changes: (crypto: CryptoFunctions) => Partial<CryptoFunctions>
): CryptoMutant => ({ name, rejectedBy, of: (crypto) => ({ ...crypto, ...changes(crypto) }) })

const littleEndianNonce = (nonce: Uint8Array): Uint8Array => nonce.toReversed()

const shortNonce = (nonce: Uint8Array): Uint8Array => {
  const short = nonce.slice()
  short[23] = 0
  return short
}

const underNonce = (change: (nonce: Uint8Array) => Uint8Array) => (crypto: CryptoFunctions) => ({
  sealInto: (out: Uint8Array, at: number, plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array) =>
    crypto.sealInto(out, at, plaintext, change(nonce), key),
  open: (sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array) => crypto.open(sealed, change(nonce), key)
})

/** Each is wrong in one way that has been seen in implementations of this wire, or that a careless port would have. */
export const cryptoMutants: ReadonlyArray<CryptoMutant> = [
  mutant("cuts a longer blake2b", "blake2b with", () => ({
    blake2b: (bytes, digestBytes) =>
      new Uint8Array(NodeCrypto.createHash("blake2b512").update(bytes).digest()).slice(0, digestBytes)
  })),
  mutant("hashes the whole buffer under a view", "digests are", (crypto) => ({
    blake2b: (bytes, digestBytes) =>
      crypto.blake2b(bytes.byteLength === 0 ? bytes : new Uint8Array(bytes.buffer), digestBytes)
  })),
  mutant("reuses the digest's memory", "digests are", (crypto) => {
    const memory = new Uint8Array(32)
    return {
      blake2b: (bytes, digestBytes) => {
        memory.set(crypto.blake2b(bytes, digestBytes))
        return memory.subarray(0, digestBytes)
      }
    }
  }),
  mutant("hashes twice", "sha256", (crypto) => ({ sha256: (bytes) => crypto.sha256(crypto.sha256(bytes)) })),
  mutant("ignores the secret given", "key pairs", (crypto) => ({ keyPair: () => crypto.keyPair() })),
  mutant("shares the bare X25519 point's digest", "the shared key is", (crypto) => ({
    sharedKey: (theirs, ours) => {
      const key = crypto.sharedKey(theirs, ours)
      return key === undefined ? undefined : crypto.sha256(key)
    }
  })),
  mutant("accepts keys of low order", "no shared key", (crypto) => ({
    sharedKey: (theirs, ours) => crypto.sharedKey(theirs, ours) ?? new Uint8Array(32)
  })),
  mutant("draws the same random bytes", "random bytes", () => ({ randomBytes: (length) => new Uint8Array(length) })),
  mutant("puts the tag last", "seals tag before", (crypto) => ({
    sealInto: (out, at, plaintext, nonce, key) => {
      crypto.sealInto(out, at, plaintext, nonce, key)
      const tag = out.slice(at, at + 16)
      out.copyWithin(at, at + 16, at + 16 + plaintext.length)
      out.set(tag, at + plaintext.length)
    }
  })),
  mutant("takes the nonce as little-endian", "the whole nonce", underNonce(littleEndianNonce)),
  mutant("drops the last byte of the nonce", "the whole nonce", underNonce(shortNonce)),
  mutant("does not check the tag", "opens nothing that was changed", (crypto) => ({
    open: (sealed, nonce, key) => {
      const opened = crypto.open(sealed.slice(), nonce, key)
      return opened ?? (sealed.length < 16 ? undefined : sealed.slice(16))
    }
  })),
  mutant("throws on what does not open", "opens nothing that was changed", (crypto) => ({
    open: (sealed, nonce, key) => {
      const opened = crypto.open(sealed, nonce, key)
      if (opened === undefined) throw new Error("wrong tag")
      return opened
    }
  })),
  mutant("seals in the caller's plaintext", "leaves plaintext", (crypto) => ({
    sealInto: (out, at, plaintext, nonce, key) => {
      crypto.sealInto(out, at, plaintext, nonce, key)
      plaintext.set(out.subarray(at + 16, at + 16 + plaintext.length))
    }
  }))
]
