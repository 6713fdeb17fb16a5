// Trees and paths against a naive second implementation that lays every padding out.
import { assert, describe, it } from "@effect/vitest"
import {
  buildPath,
  buildPaths,
  type ClaimedOperations,
  decodeHash,
  encodeHash,
  foldPath,
  Limits,
  merkleRoot,
  operationListHash,
  operationListListHash,
  pathPosition,
  payloadHash,
  toHex,
  verifyOperations
} from "@peerstrap/tezos-wire"
import * as fc from "fast-check"
import { digests } from "./digests.ts"
import { sound } from "./recorded.ts"
import { bytes, eachVector, vectorsMissing } from "./vectors.ts"

const run = { seed: 20_261_202 }
const h = (...parts: ReadonlyArray<Uint8Array>) =>
  digests.blake2b(Uint8Array.from(parts.flatMap((part) => [...part])), 32)

/** All leaves with padding, as a power of two. */
const naiveLeaves = (items: ReadonlyArray<Uint8Array>): Array<Uint8Array> => {
  const leaves = items.map((item) => h(item))
  while (!Number.isInteger(Math.log2(leaves.length))) leaves.push(leaves.at(-1)!)
  return leaves
}

const naiveTree = (leaves: ReadonlyArray<Uint8Array>): Uint8Array => {
  if (leaves.length === 1) return leaves[0]!
  const half = leaves.length / 2
  return h(naiveTree(leaves.slice(0, half)), naiveTree(leaves.slice(half)))
}

const naiveRoot = (items: ReadonlyArray<Uint8Array>): Uint8Array =>
  items.length === 0 ? h() : naiveTree(naiveLeaves(items))

/** The path by recursion from the root, as the definition has it. */
const naivePath = (leaves: ReadonlyArray<Uint8Array>, index: number): Array<number> => {
  if (leaves.length === 1) return [0x00]
  const half = leaves.length / 2
  const [left, right] = [leaves.slice(0, half), leaves.slice(half)]
  return index < half
    ? [0xf0, ...naivePath(left, index), ...naiveTree(right)]
    : [0x0f, ...naiveTree(left), ...naivePath(right, index - half)]
}

const item = fc.uint8Array({ maxLength: 40 })
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe("Merkle roots", () => {
  if (vectorsMissing !== undefined) console.warn(vectorsMissing)

  it("are those of the recorded vectors", () => {
    eachVector("merkle", 9, ({ expected, input }) => {
      const leaves: ReadonlyArray<Uint8Array> = input.leaves.map(bytes)
      assert.strictEqual(toHex(merkleRoot(digests, leaves)), expected.root)
      assert.strictEqual(toHex(naiveRoot(leaves)), expected.root)
    })
  })

  it("of 0, 3 and 9 leaves, as real nodes compute them", () => {
    const leaves = Array.from({ length: 9 }, (_, i) => new Uint8Array(32).fill(i))
    const roots = [0, 3, 9].map((count) => toHex(merkleRoot(digests, leaves.slice(0, count))))
    assert.deepStrictEqual(roots, [
      "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
      "d7ca1b8f539ab18872789755cdc97e2e81b6a65ea6b3faa405717599e985b299",
      "0de74fc3a67c70e350c510b00643152244d50fa1cc34be9d8fdb258ab0e9f8f6"
    ])
  })

  it("agree with the naive tree for every count up to 70", () => {
    const items = Array.from({ length: 70 }, (_, i) => Uint8Array.of(i, i * 3, 7))
    for (let count = 0; count <= items.length; count++) {
      const some = items.slice(0, count)
      assert.strictEqual(toHex(merkleRoot(digests, some)), toHex(naiveRoot(some)), `${count} items`)
    }
  })

  it("agree with the naive tree for any items, which stay as they were", () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), (items) => {
        const before = items.map(toHex)
        assert.strictEqual(toHex(merkleRoot(digests, items)), toHex(naiveRoot(items)))
        assert.deepStrictEqual(items.map(toHex), before)
      }),
      { ...run, numRuns: 60 }
    )
  })

  it("payload hash of the recorded vector", () => {
    eachVector("payload_hash", 1, ({ expected, input }) => {
      const predecessor = sound(decodeHash("block", input.predecessor))
      const operations = input.operations.map((text: string) => sound(decodeHash("operation", text)))
      const hash = payloadHash(digests, predecessor, input.payload_round, operations)
      assert.strictEqual(encodeHash("payload", hash), expected.payload_hash)
    })
  })
})

describe("Merkle paths", () => {
  it("are the naive ones, lead to the root and know their place, for 1 to 8 passes", () => {
    fc.assert(
      fc.property(fc.array(hash, { minLength: 1, maxLength: Limits.maxPasses }), (lists) => {
        const root = toHex(operationListListHash(digests, lists))
        const leaves = naiveLeaves(lists)
        for (const [pass, path] of buildPaths(digests, lists).entries()) {
          assert.strictEqual(toHex(path), toHex(Uint8Array.from(naivePath(leaves, pass))))
          assert.deepStrictEqual(path, buildPath(digests, lists, pass))
          assert.deepStrictEqual(pathPosition(path), { position: pass, size: leaves.length })
          assert.strictEqual(toHex(foldPath(digests, path, lists[pass]!)), root)
        }
      }),
      { ...run, numRuns: 40 }
    )
  })

  it("have 67 bytes for four passes and 100 for eight", () => {
    const lists = Array.from({ length: 8 }, (_, i) => new Uint8Array(32).fill(i))
    assert.strictEqual(buildPath(digests, lists.slice(0, 4), 3).length, 67)
    assert.strictEqual(buildPath(digests, lists, 0).length, 100)
    assert.deepStrictEqual(buildPaths(digests, []), [])
    assert.throws(() => buildPaths(digests, [...lists, lists[0]!]), RangeError, "9 passes")
    assert.throws(() => buildPath(digests, lists, 8), RangeError)
  })

  it("that are none have no place", () => {
    const path = buildPath(digests, Array.from({ length: 8 }, () => new Uint8Array(32)), 5)
    assert.isUndefined(pathPosition(path.subarray(0, -1)))
    assert.isUndefined(pathPosition(Uint8Array.from([...path, 0])))
    assert.isUndefined(pathPosition(Uint8Array.from([0xff, ...path])))
    assert.isUndefined(pathPosition(Uint8Array.from([0xf0, ...path, ...new Uint8Array(32)])), "four levels")
    assert.isUndefined(pathPosition(new Uint8Array(0)))
  })
})

const operationsOf = (pass: number) => Array.from({ length: pass }, (_, i) => new Uint8Array(40).fill(16 * pass + i))

const reason = (claim: ClaimedOperations) => verifyOperations(digests, claim)?.reason

const flipped = (value: Uint8Array, bit: number) => {
  const copy = value.slice()
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}

const claims = (passes: number): ReadonlyArray<ClaimedOperations> => {
  const all = Array.from({ length: passes }, (_, pass) => operationsOf(pass))
  const lists = all.map((some) => operationListHash(digests, some))
  const operationsHash = operationListListHash(digests, lists)
  return all.map((some, pass) => ({
    pass,
    path: buildPath(digests, lists, pass),
    operations: some,
    operationsHash,
    validationPasses: passes
  }))
}

describe("verification of operations", () => {
  it("accepts each pass of blocks with 1 to 8 passes and no other's operations", () => {
    for (let passes = 1; passes <= 8; passes++) {
      const all = claims(passes)
      for (const claim of all) {
        assert.isUndefined(reason(claim))
        for (const other of all) {
          if (other === claim) continue
          assert.strictEqual(reason({ ...claim, operations: other.operations }), "root")
          assert.strictEqual(reason({ ...claim, pass: other.pass }), "position")
          assert.strictEqual(reason({ ...claim, path: other.path }), "position")
          // The path and operations of another pass lead to the very same root: only the position tells.
          assert.strictEqual(reason({ ...other, pass: claim.pass }), "position")
        }
      }
    }
  })

  it("refuses the positions of padding, passes the block has not, and paths of other trees", () => {
    const all = claims(3)
    const last = all[2]!
    // Padding stands at position 3: its path leads to the root with the last pass's own operations.
    const lists = all.map(({ operations: some }) => operationListHash(digests, some))
    const padding = buildPath(digests, [...lists, lists[2]!], 3)
    assert.strictEqual(
      toHex(foldPath(digests, padding, lists[2]!)),
      toHex(last.operationsHash),
      "the padding is in the tree"
    )
    assert.strictEqual(reason({ ...last, path: padding, pass: 3 }), "pass")
    assert.strictEqual(reason({ ...last, path: padding }), "position")
    assert.strictEqual(reason({ ...last, pass: -1 }), "pass")
    assert.strictEqual(reason({ ...last, pass: Number.NaN }), "pass")
    assert.strictEqual(reason({ ...last, validationPasses: 0 }), "pass")
    assert.strictEqual(reason({ ...last, validationPasses: 5 }), "path")
    assert.strictEqual(reason({ ...last, validationPasses: 255 }), "path")
    assert.strictEqual(reason({ ...last, path: last.path.subarray(1) }), "path")
    assert.strictEqual(reason({ ...last, path: new Uint8Array(0) }), "path")
  })

  it("notices any changed bit", () => {
    const claim = claims(4)[2]!
    for (let bit = 0; bit < 8 * claim.path.length; bit++) {
      assert.isDefined(reason({ ...claim, path: flipped(claim.path, bit) }), `path bit ${bit}`)
    }
    for (let bit = 0; bit < 8 * 40; bit++) {
      const [first, ...rest] = claim.operations
      assert.strictEqual(reason({ ...claim, operations: [flipped(first!, bit), ...rest] }), "root")
    }
    assert.strictEqual(reason({ ...claim, operations: claim.operations.toReversed() }), "root")
    assert.strictEqual(
      reason({ ...claim, operations: [...claim.operations, Uint8Array.from(claim.operations[0]!)] }),
      "root"
    )
  })

  it("refuses the true list with its last operation repeated, which has the same hash", () => {
    const claim = claims(4)[3]!
    const repeated = [...claim.operations, Uint8Array.from(claim.operations.at(-1)!)]
    assert.strictEqual(toHex(operationListHash(digests, repeated)), toHex(operationListHash(digests, claim.operations)))
    assert.isUndefined(reason(claim))
    assert.strictEqual(reason({ ...claim, operations: repeated }), "repeated")
  })
})
