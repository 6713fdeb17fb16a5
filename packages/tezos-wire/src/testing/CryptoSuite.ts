/** The kit of `Crypto`: known answers, and implementations with one mistake each. */
import { type Kit, type Mutant, suiteOf } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeCrypto from "node:crypto"
import * as PortableCrypto from "../adapter/PortableCrypto.ts"
import { Crypto, type CryptoFunctions } from "../contract/Crypto.ts"
import { cryptoChecks } from "./CryptoChecks.ts"

/** Functions of a correct implementation with some of them changed. */
const mutant = (
  name: string,
  rejectedBy: string,
  because: RegExp,
  changes: (crypto: CryptoFunctions) => Partial<CryptoFunctions>
): Mutant<Crypto> => ({
  name,
  rejectedBy: checkNamed(rejectedBy),
  because,
  layer: Layer.effect(Crypto, Effect.map(Crypto, (crypto) => ({ ...crypto, ...changes(crypto) }))).pipe(
    Layer.provide(PortableCrypto.layer)
  )
})

/** Whole name of the check that begins so. */
const checkNamed = (beginning: string): string =>
  cryptoChecks.find(({ name }) => name.startsWith(beginning))?.name ?? beginning

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
export const cryptoMutants: ReadonlyArray<Mutant<Crypto>> = [
  mutant("cuts a longer blake2b", "blake2b with", /blake2b-128 of 0 bytes/, () => ({
    blake2b: (bytes, digestBytes) =>
      new Uint8Array(NodeCrypto.createHash("blake2b512").update(bytes).digest()).slice(0, digestBytes)
  })),
  mutant(
    "hashes the whole buffer under a view",
    "digests are",
    /the first digest after a second one was made/,
    (crypto) => ({
      blake2b: (bytes, digestBytes) =>
        crypto.blake2b(bytes.byteLength === 0 ? bytes : new Uint8Array(bytes.buffer), digestBytes)
    })
  ),
  mutant("reuses the digest's memory", "digests are", /the first digest after a second one was made/, (crypto) => {
    const memory = new Uint8Array(32)
    return {
      blake2b: (bytes, digestBytes) => {
        memory.set(crypto.blake2b(bytes, digestBytes))
        return memory.subarray(0, digestBytes)
      }
    }
  }),
  mutant(
    "hashes twice",
    "sha256",
    /empty[^]*- 'e3b0c442/,
    (crypto) => ({ sha256: (bytes) => crypto.sha256(crypto.sha256(bytes)) })
  ),
  mutant("ignores the secret given", "key pairs", /public key/, (crypto) => ({ keyPair: () => crypto.keyPair() })),
  mutant("shares the bare X25519 point's digest", "the shared key is", /shared key/, (crypto) => ({
    sharedKey: (theirs, ours) => {
      const key = crypto.sharedKey(theirs, ours)
      return key === undefined ? undefined : crypto.sha256(key)
    }
  })),
  mutant("accepts keys of low order", "no shared key", /a key of low order gave a shared key/, (crypto) => ({
    sharedKey: (theirs, ours) => crypto.sharedKey(theirs, ours) ?? new Uint8Array(32)
  })),
  mutant(
    "draws the same random bytes",
    "random bytes",
    /strictly unequal to:\s+'0{48}'/,
    () => ({ randomBytes: (length) => new Uint8Array(length) })
  ),
  mutant("puts the tag last", "seals tag before", /40 bytes/, (crypto) => ({
    sealInto: (out, at, plaintext, nonce, key) => {
      crypto.sealInto(out, at, plaintext, nonce, key)
      const tag = out.slice(at, at + 16)
      out.copyWithin(at, at + 16, at + 16 + plaintext.length)
      out.set(tag, at + plaintext.length)
    }
  })),
  mutant(
    "takes the nonce as little-endian",
    "the whole nonce",
    /40 bytes under the next nonce/,
    underNonce(littleEndianNonce)
  ),
  mutant(
    "drops the last byte of the nonce",
    "the whole nonce",
    /40 bytes under the next nonce/,
    underNonce(shortNonce)
  ),
  mutant("does not check the tag", "opens nothing that was changed", /bit 0 flipped, and it opened/, (crypto) => ({
    open: (sealed, nonce, key) => {
      const opened = crypto.open(sealed.slice(), nonce, key)
      return opened ?? (sealed.length < 16 ? undefined : sealed.slice(16))
    }
  })),
  mutant("throws on what does not open", "opens nothing that was changed", /wrong tag/, (crypto) => ({
    open: (sealed, nonce, key) => {
      const opened = crypto.open(sealed, nonce, key)
      if (opened === undefined) throw new Error("wrong tag")
      return opened
    }
  })),
  mutant("seals in the caller's plaintext", "leaves plaintext", /plaintext/, (crypto) => ({
    sealInto: (out, at, plaintext, nonce, key) => {
      crypto.sealInto(out, at, plaintext, nonce, key)
      plaintext.set(out.subarray(at + 16, at + 16 + plaintext.length))
    }
  }))
]

/** The kit of `Crypto`. */
export const cryptoKit: Kit<Crypto> = {
  contract: "Crypto",
  capabilities: {},
  checks: cryptoChecks.map(({ name, run }) => ({ name, run: Effect.map(Crypto, run) })),
  mutants: cryptoMutants
}

/** `cryptoSuite("NativeCrypto", NativeCrypto.layer, { capabilities: {}, test: it })`. */
export const cryptoSuite = suiteOf(cryptoKit)
