/** What every `Crypto` must compute, as named checks with known answers; they throw an `AssertionError` when it does not. */
import { hex } from "@scure/base"
import assert from "node:assert/strict"
import type { CryptoFunctions } from "../contract/Crypto.ts"

/** One check: throws an `AssertionError` when the implementation computes something else. */
export interface CryptoCheck {
  readonly name: string
  readonly run: (crypto: CryptoFunctions) => void
}

const same = (actual: Uint8Array | undefined, expected: Uint8Array | string, what: string): void => {
  assert.ok(actual !== undefined, `${what}: no result`)
  assert.equal(hex.encode(actual), typeof expected === "string" ? expected : hex.encode(expected), what)
}

/** Counts up from `seed`, so that every position differs from its neighbours. */
const pattern = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 255)

const remotePublic = hex.decode("96678b88756dd6cfd6c129980247b70a6e44da77823c3672a2ec0eae870d8646")
const ownSecret = hex.decode("a18dc11cb480ebd31081e1541df8bd70c57da0fa419b5036242f8619d605e75a")
const ownPublic = "a9ce191dc6ad065e08dfb2d5c3cca76a209fd441176ce8610d0ed198d834370a"
const shared = hex.decode("5228751a6f5a6494e38e1042f578e3a64ae3462b7899356f49e50be846c9609c")
const nonce = hex.decode("8dde158c55cff52f4be9352787d333e616a67853640d72c5")
const nextNonce = hex.decode("8dde158c55cff52f4be9352787d333e616a67853640d72c6")
const sealed40 =
  "4f635d72c3e753393d00d9a37ef691fffbf6071ca74f8b3aff80c21e54ce9f80fa94ed323711eb4732dd1aca9186521c3d8c894e7be77edb"
const sealed40Next =
  "0843d773e2f2198dfe128d099bd594335ec23f54f6800abb72a1ea6165eea63e51587212587a483b426c6ae6252c564fee4440c770ed9950"
const sealedEmpty = "ca47773017457b35c4a8bb544be4a003"

/** blake2b of `pattern(length, 1)` with 16, 20 and 32 bytes. */
const digests: ReadonlyArray<readonly [length: number, of16: string, of20: string, of32: string]> = [
  [
    0,
    "cae66941d9efbd404e4d88758ea67670",
    "3345524abf6bbe1809449224b5972c41790b6cf2",
    "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
  ],
  [
    3,
    "5a71f812e6870c9e179e6e05319c7352",
    "4c495cdb34a8a1fd0ae2f89b7bdb4a5c9d0f1531",
    "e43d000b0a37d6fcddcd15640107181a908675e1820dd5ae307155ffff196ba5"
  ],
  [
    128,
    "10987546059f4ba6e114f4933aee33a2",
    "00993987efae78d08d057351015dbfb2c8a31688",
    "6b89237e0a469a721c700b8bbcb51b6231c48e71ff023e0e3444ec84882ae32e"
  ],
  [
    1000,
    "81536df771ff23cdb89da9c53075bb4a",
    "d504326d07fe639d07dce22f6945f0cc7d6d6972",
    "1d16566788d72e44f7c8ca9aaf73edc64bb03fc69322cb735f49974d7c9ce383"
  ]
]

/** Public keys of low order, for which the shared point is zero whatever the secret (RFC 7748, section 6.1). */
const lowOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
]

const seal = (crypto: CryptoFunctions, plaintext: Uint8Array, at = 0, spare = 0): Uint8Array => {
  const out = new Uint8Array(at + plaintext.length + 16 + spare).fill(0xee)
  crypto.sealInto(out, at, plaintext, nonce, shared)
  return out
}

const digestChecks: ReadonlyArray<CryptoCheck> = [
  {
    name: "blake2b with 16, 20 and 32 bytes, of inputs of none to several blocks",
    run: (crypto) => {
      for (const [length, of16, of20, of32] of digests) {
        const input = pattern(length, 1)
        same(crypto.blake2b(input, 16), of16, `blake2b-128 of ${length} bytes`)
        same(crypto.blake2b(input, 20), of20, `blake2b-160 of ${length} bytes`)
        same(crypto.blake2b(input, 32), of32, `blake2b-256 of ${length} bytes`)
      }
    }
  },
  {
    name: "sha256",
    run: (crypto) => {
      same(
        crypto.sha256(new Uint8Array(0)),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "empty"
      )
      same(
        crypto.sha256(Uint8Array.of(0x61, 0x62, 0x63)),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "abc"
      )
    }
  },
  {
    name: "digests are the caller's own and read views at their offset",
    run: (crypto) => {
      const view = pattern(40, 1).subarray(0, 3)
      const first = crypto.blake2b(view, 32)
      const again = crypto.blake2b(pattern(1000, 1), 32)
      same(first, digests[1]![3], "the first digest after a second one was made")
      assert.notEqual(first.buffer, again.buffer, "two digests share memory")
      same(crypto.blake2b(pattern(1003, -20).subarray(3), 32), digests[3]![3], "a view at offset 3")
    }
  }
]

const keyChecks: ReadonlyArray<CryptoCheck> = [
  {
    name: "key pairs: the public key of a given secret, and fresh ones",
    run: (crypto) => {
      const given = crypto.keyPair(ownSecret)
      same(given.publicKey, ownPublic, "public key")
      same(given.secretKey, ownSecret, "secret key")
      const [one, two] = [crypto.keyPair(), crypto.keyPair()]
      assert.notEqual(hex.encode(one.secretKey), hex.encode(two.secretKey), "two random pairs are the same")
      same(
        crypto.sharedKey(one.publicKey, two.secretKey)!,
        crypto.sharedKey(two.publicKey, one.secretKey)!,
        "both ways"
      )
    }
  },
  {
    name: "the shared key is crypto_box_beforenm: HSalsa20 of the X25519 point",
    run: (crypto) => same(crypto.sharedKey(remotePublic, ownSecret), shared, "shared key")
  },
  {
    name: "no shared key with a public key of low order",
    run: (crypto) => {
      for (const publicKey of lowOrder) {
        const key = crypto.sharedKey(hex.decode(publicKey), ownSecret)
        assert.equal(key, undefined, "a key of low order gave a shared key")
      }
    }
  },
  {
    name: "random bytes: as many as asked for, and not the same twice",
    run: (crypto) => {
      assert.equal(crypto.randomBytes(0).length, 0)
      assert.equal(crypto.randomBytes(24).length, 24)
      assert.notEqual(hex.encode(crypto.randomBytes(24)), hex.encode(crypto.randomBytes(24)))
    }
  }
]

const boxChecks: ReadonlyArray<CryptoCheck> = [
  {
    name: "seals tag before ciphertext, at the place given and nowhere else",
    run: (crypto) => {
      same(seal(crypto, pattern(40, 3)), sealed40, "40 bytes")
      same(seal(crypto, new Uint8Array(0)), sealedEmpty, "no bytes")
      same(seal(crypto, pattern(40, 3), 2, 3), `eeee${sealed40}eeeeee`, "40 bytes at offset 2")
    }
  },
  {
    name: "the whole nonce counts, its last byte too",
    run: (crypto) => {
      const out = new Uint8Array(56)
      crypto.sealInto(out, 0, pattern(40, 3), nextNonce, shared)
      same(out, sealed40Next, "40 bytes under the next nonce")
    }
  },
  {
    name: "opens what was sealed, up to the largest chunk, also in a view at an odd offset",
    run: (crypto) => {
      for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 1_000, 65_503, 65_517]) {
        const plaintext = pattern(length, 5)
        const buffer = seal(crypto, plaintext, 3, 2)
        const opened = crypto.open(buffer.subarray(3, 3 + length + 16), nonce, shared)
        assert.ok(opened !== undefined, `${length} bytes do not open`)
        assert.ok(Buffer.from(opened).equals(plaintext), `${length} bytes open as something else`)
        assert.equal(hex.encode(buffer.subarray(0, 3)) + hex.encode(buffer.subarray(-2)), "eeeeeeeeee")
      }
    }
  },
  {
    name: "opens nothing that was changed, cut, or sealed under another nonce or key",
    run: (crypto) => {
      for (let bit = 0; bit < 56 * 8; bit += 5) {
        const changed = hex.decode(sealed40)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        assert.equal(crypto.open(changed, nonce, shared), undefined, `bit ${bit} flipped, and it opened`)
      }
      for (let length = 0; length < 56; length++) {
        assert.equal(
          crypto.open(hex.decode(sealed40).subarray(0, length), nonce, shared),
          undefined,
          `cut to ${length}`
        )
      }
      assert.equal(crypto.open(hex.decode(sealed40), nextNonce, shared), undefined, "another nonce")
      assert.equal(crypto.open(hex.decode(sealed40), nonce, remotePublic), undefined, "another key")
    }
  },
  {
    name: "leaves plaintext, nonce and key as they were",
    run: (crypto) => {
      const [text, ownNonce, ownKey] = [pattern(100, 9), nonce.slice(), shared.slice()]
      const out = new Uint8Array(116)
      crypto.sealInto(out, 0, text, ownNonce, ownKey)
      crypto.open(out, ownNonce, ownKey)
      same(text, pattern(100, 9), "plaintext")
      same(ownNonce, nonce, "nonce")
      same(ownKey, shared, "key")
    }
  }
]

/** All checks: digests, keys, boxes. */
export const cryptoChecks: ReadonlyArray<CryptoCheck> = [...digestChecks, ...keyChecks, ...boxChecks]
