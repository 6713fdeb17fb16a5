// Texts of hashes and ids, chain ids, hexadecimal text, points.
import { assert, describe, it } from "@effect/vitest"
import {
  chainIdOf,
  chainIdText,
  decodeBase58Check,
  decodeHash,
  encodeBase58Check,
  encodeHash,
  fromHex,
  genesisHeader,
  type HashKind,
  HashKinds,
  isPoint,
  Limits,
  merkleRoot,
  parseChainId,
  parsePoint,
  pointText,
  toHex
} from "@peerstrap/tezos-wire"
import * as fc from "fast-check"
import { isIP } from "node:net"
import { digests } from "./digests.ts"
import { refused, sound } from "./recorded.ts"
import { bytes, eachVector, vectorsMissing } from "./vectors.ts"

const run = { seed: 20_261_201 }

describe("hash texts", () => {
  if (vectorsMissing !== undefined) console.warn(vectorsMissing)

  it("are those of the recorded vectors, both ways", () => {
    const kinds: Readonly<Record<string, HashKind>> = {
      block_hash: "block",
      context_hash: "context",
      operation_list_list_hash: "operationListList",
      protocol_hash: "protocol",
      chain_id: "chain",
      "operation_list_list_hash of the empty list list": "operationListList"
    }
    eachVector("base58check", 10, ({ expected, input, name }) => {
      const kind = kinds[name]
      const payload = bytes(input.payload)
      if (kind === undefined) {
        assert.strictEqual(name, "raw base58check without type prefix")
        assert.strictEqual(encodeBase58Check(payload), expected.text)
        assert.deepStrictEqual(sound(decodeBase58Check(expected.text)), payload)
        return
      }
      if (input.prefix_bytes !== undefined) assert.strictEqual(HashKinds[kind].prefix, input.prefix_bytes)
      assert.strictEqual(encodeHash(kind, payload), expected.text)
      assert.deepStrictEqual(sound(decodeHash(kind, expected.text)), payload)
    })
  })

  it("begin with the letters of their kind and have its length, for any bytes", () => {
    const shapes: Readonly<Record<HashKind, readonly [string, number]>> = {
      block: ["B", 51],
      operation: ["o", 51],
      operationList: ["Lo", 52],
      operationListList: ["LLo", 53],
      protocol: ["P", 51],
      context: ["Co", 52],
      chain: ["Net", 15],
      peer: ["id", 30],
      payload: ["vh", 52],
      blockMetadata: ["bm", 52],
      operationMetadata: ["r", 51],
      operationMetadataListList: ["LLr", 53],
      tz1: ["tz1", 36],
      tz2: ["tz2", 36],
      tz3: ["tz3", 36],
      tz4: ["tz4", 36]
    }
    for (const kind of Object.keys(shapes) as Array<HashKind>) {
      const [start, length] = shapes[kind]
      const size = HashKinds[kind].bytes
      const check = (value: Uint8Array) => {
        const text = encodeHash(kind, value)
        assert.strictEqual(text.slice(0, start.length), start)
        assert.strictEqual(text.length, length)
        assert.deepStrictEqual(sound(decodeHash(kind, text)), value)
      }
      check(new Uint8Array(size))
      check(new Uint8Array(size).fill(0xff))
      fc.assert(fc.property(fc.uint8Array({ minLength: size, maxLength: size }), check), { ...run, numRuns: 5 })
    }
  })

  it("a changed character, another kind, a foreign alphabet and endless text are refused", () => {
    const text = "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2"
    assert.strictEqual(refused(decodeHash("block", text.replace("5d1", "5d2"))).what, "block hash")
    assert.match(refused(decodeHash("protocol", text)).message, /something else/)
    const zero = refused(decodeHash("block", text.replace("d1C", "d0C")))
    assert.strictEqual(zero.offset, text.indexOf("d1C") + 1)
    assert.strictEqual(refused(decodeHash("block", "B".repeat(1_000_000))).offset, 64)
    refused(decodeHash("block", ""))
    refused(decodeHash("chain", encodeBase58Check(bytes("5752007a06a77000"))))
    refused(decodeHash("chain", encodeBase58Check(bytes("5752007a06a7"))))
    assert.throws(() => encodeHash("block", new Uint8Array(31)), RangeError, "31")
  })
})

describe("kinds of hashes", () => {
  it("none is read as another", () => {
    const kinds = Object.keys(HashKinds) as Array<HashKind>
    for (const kind of kinds) {
      const text = encodeHash(kind, new Uint8Array(HashKinds[kind].bytes).fill(5))
      for (const other of kinds) {
        if (other !== kind) {
          assert.match(refused(decodeHash(other, text)).message, /something else/, `${kind} as ${other}`)
        }
      }
    }
  })
})

describe("chain ids", () => {
  it("are those of the recorded networks", () => {
    eachVector("chain_id", 10, ({ expected, input }) => {
      const genesis = sound(decodeHash("block", input.genesis_hash))
      assert.strictEqual(toHex(genesis), input.genesis_hash_hex)
      const id = chainIdOf(digests, genesis)
      assert.strictEqual(toHex(id), expected.chain_id_hex)
      assert.strictEqual(chainIdText(id), expected.chain_id)
      assert.deepStrictEqual(sound(parseChainId(expected.chain_id)), id)
      assert.deepStrictEqual(sound(parseChainId(expected.chain_id_hex.toUpperCase())), id)
    })
  })

  it("mainnet's", () => {
    const genesis = sound(decodeHash("block", "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2"))
    assert.strictEqual(chainIdText(chainIdOf(digests, genesis)), "NetXdQprcVkpaWU")
    assert.strictEqual(toHex(sound(parseChainId("NetXdQprcVkpaWU"))), "7a06a770")
    for (const text of ["NetXdQprcVkpaWV", "7a06a7", "7a06a77", "7a06a77000", "7a06a7zz", "", "Net"]) {
      refused(parseChainId(text))
    }
  })

  it("an empty node's header has 114 bytes and does not hash to genesis", () => {
    const hash = sound(decodeHash("block", "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2"))
    const context = sound(decodeHash("context", "CoVBYdAGWBoDTkiVXJEGX6FQvDN1oGCPJu8STMvaTYdeh7N3KGTz"))
    const header = genesisHeader(digests, { hash, timestamp: 1_530_374_852, context })
    assert.strictEqual(header.length, 114)
    assert.strictEqual(
      encodeHash("block", digests.blake2b(header, 32)),
      "BLiVUxuoYhFJq8ZLvWcAaEBpoLotLUg65L4TwsnbmpkZjNteqft"
    )
    assert.strictEqual(
      encodeHash("operationListList", merkleRoot(digests, [])),
      "LLoZS2LW3rEi7KYU4ouBQtorua37aWWCtpDmv1n2x3xoKi6sVXLWp"
    )
  })

  it("blake2b of the recorded vectors: the tests' own digests are right", () => {
    eachVector("blake2b", 2, ({ expected, input, name }) => {
      const size = name === "blake2b-128" ? 16 : 32
      assert.strictEqual(toHex(digests.blake2b(new TextEncoder().encode(input.utf8), size)), expected.hex)
    })
  })
})

describe("hexadecimal text", () => {
  it("round trips and names the first wrong character", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (value) => {
        assert.deepStrictEqual(sound(fromHex(toHex(value), 40)), value)
        assert.deepStrictEqual(sound(fromHex(toHex(value).toUpperCase(), 40)), value)
      }),
      { ...run, numRuns: 50 }
    )
    assert.strictEqual(toHex(Buffer.from("..abc").subarray(2)), "616263")
    assert.strictEqual(refused(fromHex("00g0", 4)).offset, 2)
    refused(fromHex("000", 4))
    refused(fromHex("00".repeat(5), 4))
  })
})

describe("points", () => {
  it("are an address and a port", () => {
    assert.deepStrictEqual(parsePoint("123.123.124.21:9876"), { address: "123.123.124.21", port: 9876 })
    assert.deepStrictEqual(parsePoint("[fe80::e828:209d:20e:c0ae]:375"), {
      address: "fe80::e828:209d:20e:c0ae",
      port: 375
    })
    for (const text of ["1.2.3.4:9732", "[::1]:65535", "[::ffff:1.2.3.4]:1"]) {
      assert.strictEqual(pointText(parsePoint(text)!), text)
    }
    const none = [
      "",
      ":9732",
      "1.2.3.4",
      "1.2.3.4:",
      "1.2.3.4:0",
      "1.2.3.4:65536",
      "1.2.3.4:09732",
      "1.2.3:9732",
      "1.2.3.4.5:9732",
      "1.2.3.4.:9732",
      "01.2.3.4:9732",
      "256.2.3.4:9732",
      "fe80::1:9732",
      "[fe80::1]",
      "[1.2.3.4]:9732",
      "[::1]]:9732",
      "[::1%eth0]:9732",
      "[:::]:1",
      "[1:2:3:4:5:6:7:8:9]:1",
      "node.example:9732",
      " 1.2.3.4:9732",
      "1.2.3.4:9732\n",
      `[${"0".repeat(45)}]:1`
    ]
    for (const text of none) assert.isFalse(isPoint(text), JSON.stringify(text))
    assert.isTrue(isPoint("[1111:1111:1111:1111:1111:1111:1111:1111]:65535"))
    assert.strictEqual("[1111:1111:1111:1111:1111:1111:1111:1111]:65535".length, Limits.maxPointBytes)
  })

  it("know the addresses that the platform knows", () => {
    const digits = fc.stringMatching(/^[0-9]{1,3}(\.[0-9]{1,3}){2,4}$/)
    const groups = fc.stringMatching(/^(:{0,2}[0-9a-f]{0,5}){2,9}$/)
    fc.assert(
      fc.property(fc.oneof(digits, groups, fc.ipV4(), fc.ipV6()), (address) => {
        const family = isIP(address)
        assert.strictEqual(isPoint(`${address}:1`), family === 4)
        const bracketed = `[${address}]:1`
        assert.strictEqual(isPoint(bracketed), family === 6 && bracketed.length <= Limits.maxPointBytes)
      }),
      { ...run, numRuns: 500 }
    )
  })
})
