// Identity files, peer ids, proof of work and the search for one, with the recorded rows and a few constants of a bare clone.
import { assert, describe, it } from "@effect/vitest"
import {
  checkProofOfWork,
  Crypto,
  cryptoLayer,
  encodeIdentity,
  formatPeerId,
  generateIdentity,
  type Identity,
  identityBytes,
  type IdentityProgress,
  loadCrypto,
  Malformed,
  meetsTarget,
  parseIdentity,
  parsePeerId,
  peerIdOf,
  PortableCrypto,
  proofOfWorkNumber,
  proofOfWorkTarget
} from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as fc from "fast-check"
import { bytes, eachVector, text, vectorsMissing } from "./vectors.ts"

if (vectorsMissing !== undefined) console.warn(`Identity.test.ts: ${vectorsMissing}`)

const crypto = await Effect.runPromise(loadCrypto)

/** A public test fixture; never use it on a network. */
const file = {
  peer_id: "idqjq34sB6uHWdFzJDB97zwXAdHASb",
  public_key: "40a2c1e551c1e48b89e2a13bb58114f613801439ec6c4fc3396799768a748b6e",
  secret_key: "66adf08839c350109d8955a92c6561f966d6a048968763d12b7026c7e368fbe1",
  proof_of_work_stamp: "ff6d772406b595e2ae0fd5c640a62a47212f21cbbcaac6b4"
}

const parsed = (value: unknown): Identity => {
  const identity = parseIdentity(crypto, typeof value === "string" ? value : JSON.stringify(value))
  if ("problems" in identity) throw new Error(identity.problems.join("; "))
  return identity
}

const problems = (value: unknown): ReadonlyArray<string> => {
  const identity = parseIdentity(crypto, typeof value === "string" ? value : JSON.stringify(value))
  return "problems" in identity ? identity.problems : []
}

describe("peer ids", () => {
  it("vectors", () => {
    eachVector("peer_id", 1, ({ expected, input }) => {
      const id = peerIdOf(crypto, bytes(input.public_key))
      assert.strictEqual(text(id), expected.peer_id_hex)
      assert.strictEqual(formatPeerId(id), expected.peer_id)
    })
    eachVector("test_identity", 11, ({ expected, input }) => {
      assert.strictEqual(formatPeerId(parsed(input).peerId), expected.peer_id)
      const bits = expected.leading_zero_bits ?? 26
      assert.isTrue(
        checkProofOfWork(crypto, bytes(input.public_key), bytes(input.proof_of_work_stamp), proofOfWorkTarget(bits))
      )
    })
  })

  it("are read back, and nothing like them is", () => {
    const id = peerIdOf(crypto, bytes(file.public_key))
    assert.strictEqual(text(parsePeerId(file.peer_id) as Uint8Array), text(id))
    const blockHash = "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2"
    for (
      const wrong of ["", "id", file.peer_id.slice(1), `${file.peer_id}b`, blockHash, "O".repeat(30), "1".repeat(30)]
    ) {
      assert.instanceOf(parsePeerId(wrong), Malformed, wrong)
    }
    for (let i = 0; i < file.peer_id.length; i++) {
      const other = file.peer_id[i] === "2" ? "3" : "2"
      const typo = file.peer_id.slice(0, i) + other + file.peer_id.slice(i + 1)
      assert.instanceOf(parsePeerId(typo), Malformed, typo)
    }
  })
})

describe("proof of work", () => {
  it("vectors", () => {
    eachVector(
      "pow_target",
      9,
      ({ expected, input }) => assert.strictEqual(text(proofOfWorkTarget(input.difficulty)), expected.target_hex_be)
    )
    eachVector(
      "pow_number",
      2,
      ({ expected, input }) => assert.strictEqual(proofOfWorkNumber(bytes(input.digest)).toString(), expected.decimal)
    )
    eachVector("pow_check", 3, ({ expected, input }) => {
      for (const difficulty of [24, 26]) {
        const target = proofOfWorkTarget(difficulty)
        const accepted = checkProofOfWork(crypto, bytes(input.public_key), bytes(input.stamp), target)
        assert.strictEqual(accepted, expected[`accepts_${difficulty}`])
      }
      assert.isFalse(
        checkProofOfWork(
          crypto,
          bytes(input.public_key),
          bytes(input.stamp),
          proofOfWorkTarget(expected.leading_zero_bits + 1)
        )
      )
    })
  })

  it("targets of a bare clone: integer, fractional, and the ends of the range", () => {
    assert.strictEqual(text(proofOfWorkTarget(26)), `0000003f${"f".repeat(56)}`)
    assert.strictEqual(text(proofOfWorkTarget(26.5)), `0000002d413cccfe779a${"f".repeat(44)}`)
    assert.strictEqual(text(proofOfWorkTarget(0)), "f".repeat(64))
    assert.strictEqual(text(proofOfWorkTarget(256)), "0".repeat(64))
    assert.strictEqual(text(proofOfWorkTarget(202)), `${"0".repeat(50)}3fffffffffffff`)
    for (const wrong of [-1, 256.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => proofOfWorkTarget(wrong), RangeError)
    }
  })

  it("compares as a number does", () => {
    const digest = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(digest, digest, (found, target) => {
        const wanted = proofOfWorkNumber(found) <= BigInt(`0x${text(target)}`)
        assert.strictEqual(meetsTarget(found, target), wanted)
        assert.isTrue(meetsTarget(found, found.toReversed()))
      }),
      { seed: 3, numRuns: 200 }
    )
  })
})

describe("identity files", () => {
  it("are read and written", () => {
    const identity = parsed(file)
    assert.strictEqual(text(identity.publicKey), file.public_key)
    assert.deepStrictEqual(JSON.parse(encodeIdentity(identity)), file)
    assert.deepStrictEqual(parsed(encodeIdentity(identity)), identity)
    const { peer_id: _, ...without } = file
    assert.deepStrictEqual(parsed(without), identity)
    assert.deepStrictEqual(parsed({ ...file, public_key: file.public_key.toUpperCase(), more: 1 }), identity)
  })

  it("name every problem, and never the secret", () => {
    assert.deepStrictEqual(problems("nonsense"), ["not JSON"])
    assert.deepStrictEqual(problems("[]"), ["not a JSON object"])
    assert.deepStrictEqual(problems("null"), ["not a JSON object"])
    assert.strictEqual(problems(" ".repeat(70_000)).length, 1)
    const all = problems({ peer_id: 3, public_key: "xx", secret_key: `${file.secret_key}00` })
    assert.deepStrictEqual(all.map((problem) => problem.split(":")[0]), [
      "public_key",
      "secret_key",
      "proof_of_work_stamp",
      "peer_id"
    ])
    assert.notInclude(all.join(), file.secret_key.slice(0, 16))
    assert.include(all.join(), "proof_of_work_stamp: missing")
    assert.deepStrictEqual(problems({ ...file, secret_key: file.public_key }), [
      "public_key: it does not belong to secret_key"
    ])
    assert.deepStrictEqual(problems({ ...file, peer_id: "idssJHDL1z8fkryZaYVF9fQRMktoWg" }), [
      "peer_id: it does not belong to public_key"
    ])
    assert.include(problems({ ...file, peer_id: "idssJHDL1z8fkryZaYVF9fQRMktoWh" }).join(), "checksum")
  })

  it("any cut and any changed character is a problem or the same identity, never a crash", () => {
    const whole = encodeIdentity(parsed(file))
    for (let i = 0; i < whole.length - 2; i++) {
      assert.isNotEmpty(problems(whole.slice(0, i)))
      const changed = whole.slice(0, i) + String.fromCharCode(whole.charCodeAt(i) ^ 1) + whole.slice(i + 1)
      const result = parseIdentity(crypto, changed)
      if (!("problems" in result)) assert.strictEqual(text(result.publicKey), file.public_key)
    }
  })
})

const provesWork = (identity: Identity, difficulty: number) => {
  assert.strictEqual(identity.proofOfWorkStamp.length, identityBytes.proofOfWorkStamp)
  assert.strictEqual(text(identity.peerId), text(peerIdOf(crypto, identity.publicKey)))
  assert.strictEqual(text(crypto.keyPair(identity.secretKey).publicKey), text(identity.publicKey))
  assert.isTrue(
    checkProofOfWork(crypto, identity.publicKey, identity.proofOfWorkStamp, proofOfWorkTarget(difficulty))
  )
}

describe("generateIdentity", () => {
  it.effect("in the calling thread, with progress", () =>
    Effect.gen(function*() {
      const seen: Array<IdentityProgress> = []
      const identity = yield* generateIdentity({ difficulty: 12, onProgress: (progress) => seen.push(progress) })
      provesWork(identity, 12)
      assert.strictEqual(seen.at(-1)!.expected, 4_096)
      assert.isTrue(seen.every(({ tried }, i) => tried > (seen[i - 1]?.tried ?? 0)))
      assert.isTrue(seen.every(({ ratePerSecond }) => ratePerSecond > 0))
      assert.notStrictEqual(
        text(identity.publicKey),
        text((yield* generateIdentity({ difficulty: 0 })).publicKey)
      )
    }).pipe(Effect.provide(cryptoLayer)))

  for (const [name, layer] of [["the best", cryptoLayer], ["the portable", PortableCrypto.layer]] as const) {
    it.live(`in two threads, with ${name} implementation`, () =>
      Effect.gen(function*() {
        provesWork(yield* generateIdentity({ difficulty: 14.5, threads: 2 }), 14.5)
      }).pipe(Effect.provide(layer)))
  }

  it.effect("in its own thread where workers have nothing to load", () =>
    Effect.gen(function*() {
      const implementation = yield* Crypto
      const elsewhere = { ...implementation, implementation: "another" }
      provesWork(
        yield* generateIdentity({ difficulty: 8, threads: 2 }).pipe(Effect.provideService(Crypto, elsewhere)),
        8
      )
    }).pipe(Effect.provide(cryptoLayer)))

  it.live("can be interrupted, in threads and without", () =>
    Effect.gen(function*() {
      for (const threads of [0, 2]) {
        const started = Latch.makeUnsafe(false)
        const fiber = yield* Effect.forkChild(
          generateIdentity({ difficulty: 200, threads, onProgress: () => started.openUnsafe() })
        )
        yield* started.await
        yield* Fiber.interrupt(fiber)
      }
    }).pipe(Effect.provide(cryptoLayer)))
})
