// Both implementations against the kit, against each other, and against a third family of code (noble); the kit against its mutants.
import { assert, describe, it } from "@effect/vitest"
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js"
import { x25519 } from "@noble/curves/ed25519.js"
import { blake2b } from "@noble/hashes/blake2.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { Crypto, cryptoLayer, CryptoUnavailable, hsalsa20, NativeCrypto, PortableCrypto } from "@peerstrap/tezos-wire"
import { cryptoKit, cryptoSuite } from "@peerstrap/tezos-wire/testing"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { bytes, eachVector, text, vectorsMissing } from "./vectors.ts"

if (vectorsMissing !== undefined) console.warn(`Crypto.conformance.test.ts: ${vectorsMissing}`)

const native = await Effect.runPromise(Effect.result(NativeCrypto.load))
const nativeMissing = native._tag === "Failure" ? native.failure.message : undefined
if (nativeMissing !== undefined) {
  console.warn(`Crypto.conformance.test.ts: native crypto is not tested: ${nativeMissing}`)
}
const portable = await Effect.runPromise(PortableCrypto.load)
const implementations = native._tag === "Success" ? [native.success, portable] : [portable]

const words = (value: Uint8Array) => new Uint32Array(value.slice().buffer)
const property = { seed: 20_261, numRuns: 40 }
const some = (maxLength: number) => fc.uint8Array({ maxLength })
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

describe("Crypto", () => {
  if (nativeMissing === undefined) cryptoSuite("native", NativeCrypto.layer, { capabilities: {}, test: it })
  cryptoSuite("portable", PortableCrypto.layer, { capabilities: {}, test: it })

  it.effect("cryptoLayer takes the native one where it loads", () =>
    Effect.gen(function*() {
      const crypto = yield* Crypto
      assert.strictEqual(crypto.implementation, nativeMissing === undefined ? "native" : "portable")
    }).pipe(Effect.provide(cryptoLayer)))

  it.effect("a binding that is not there is a typed failure that names the way out", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(NativeCrypto.loadFrom("sodium-native-that-is-not-installed"))
      assert.instanceOf(error, CryptoUnavailable)
      assert.include(error.message, "portable")
      assert.instanceOf(yield* Effect.flip(NativeCrypto.loadFrom("node:path")), CryptoUnavailable)
    }))

  it("vectors: box, nonces' digest, identities' key pairs", () => {
    for (const crypto of implementations) {
      eachVector("box", 2, ({ expected, input }) => {
        if ("secret_key" in input) {
          const key = crypto.sharedKey(bytes(input.public_key), bytes(input.secret_key))
          assert.strictEqual(text(key!), expected.shared_key)
        } else {
          const plaintext = bytes(input.plaintext)
          const out = new Uint8Array(plaintext.length + 16)
          crypto.sealInto(out, 0, plaintext, bytes(input.nonce), bytes(input.shared_key))
          assert.strictEqual(text(out), expected.boxed)
          assert.strictEqual(text(crypto.open(out, bytes(input.nonce), bytes(input.shared_key))!), input.plaintext)
        }
      })
      eachVector("blake2b", 2, ({ expected, input }) => {
        const digest = crypto.blake2b(new TextEncoder().encode(input.utf8), expected.hex.length / 2 as 16 | 32)
        assert.strictEqual(text(digest), expected.hex)
      })
    }
  })

  it("agrees with noble on random input", () => {
    for (const crypto of implementations) {
      fc.assert(
        fc.property(some(300), exactly(32), exactly(32), exactly(24), (input, secret, other, nonce) => {
          for (const length of [16, 20, 32] as const) {
            assert.strictEqual(text(crypto.blake2b(input, length)), text(blake2b(input, { dkLen: length })))
          }
          assert.strictEqual(text(crypto.sha256(input)), text(sha256(input)))
          const theirs = x25519.getPublicKey(other)
          assert.strictEqual(text(crypto.keyPair(other).publicKey), text(theirs))
          const key = crypto.sharedKey(theirs, secret)!
          assert.strictEqual(text(key), text(hsalsa20(x25519.getSharedSecret(secret, theirs))))
          const sealed = new Uint8Array(input.length + 16)
          crypto.sealInto(sealed, 0, input, nonce, key)
          assert.strictEqual(text(sealed), text(xsalsa20poly1305(key, nonce).encrypt(input)))
        }),
        property
      )
    }
  })

  it("HSalsa20 agrees with noble for any input", () => {
    fc.assert(
      fc.property(exactly(32), exactly(16), (key, input) => {
        const out = new Uint32Array(8)
        hsalsa(words(new TextEncoder().encode("expand 32-byte k")), words(key), words(input), out)
        assert.strictEqual(text(hsalsa20(key, input)), text(new Uint8Array(out.buffer)))
      }),
      property
    )
  })
})

describe("the kit of Crypto", () => mutantSuiteOf(cryptoKit, it))
