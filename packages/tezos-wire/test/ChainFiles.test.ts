// Seeded chains and recorded ones: every hash, link, root and path of every block, and the same bytes for the same seed.
import { assert, describe, it } from "@effect/vitest"
import {
  buildPath,
  compareFitness,
  headerHash,
  operationListHash,
  operationListListHash,
  protocolFields,
  toHex,
  verifyOperations
} from "@peerstrap/tezos-wire"
import {
  ancestorAt,
  hashText,
  makeChain,
  readChainFile,
  type TestChain,
  writeChainFile
} from "@peerstrap/tezos-wire/testing"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { sharedPath } from "../../../tools/shared.ts"
import { crypto } from "./wire.ts"

/** What every peer checks of a block, with the path of each pass. */
const verifyChain = (chain: TestChain) => {
  for (const block of chain.blocks) {
    const { header, operations } = block
    const parent = ancestorAt(block, block.level - 1)
    assert.strictEqual(toHex(block.hash), toHex(headerHash(crypto, header.raw)))
    assert.strictEqual(toHex(header.predecessor), toHex(parent?.hash ?? chain.genesis.hash))
    assert.strictEqual(header.level, block.level)
    assert.strictEqual(header.validationPass, operations.length)
    assert.isAbove(header.timestamp, parent?.header.timestamp ?? chain.genesis.timestamp)
    assert.isAbove(compareFitness(header.fitness, parent?.header.fitness ?? []), 0)
    const lists = operations.map((list) => operationListHash(crypto, list))
    assert.strictEqual(toHex(operationListListHash(crypto, lists)), toHex(header.operationsHash))
    if (block.level % 7 === 0) {
      for (const [pass, list] of operations.entries()) {
        const { operationsHash, validationPass: validationPasses } = header
        const path = buildPath(crypto, lists, pass)
        assert.isUndefined(verifyOperations(crypto, { operations: list, path, pass, operationsHash, validationPasses }))
      }
    }
  }
}

const forks = [{ name: "short", at: 20, length: 3 }, { name: "long", at: 10, length: 30 }, {
  name: "nested",
  at: 15,
  length: 4,
  parent: "long"
}]

describe("makeChain", () => {
  const chain = makeChain(crypto, { seed: "a", levels: 36, forks, headTime: 1_800_000_000 })

  it("makes blocks that hold, on every branch", () => {
    verifyChain(chain)
    assert.strictEqual(chain.size, 36 + 37)
    assert.deepStrictEqual(chain.branchNames, ["main", "short", "long", "nested"])
    assert.strictEqual(chain.head("long").level, 40)
    assert.strictEqual(chain.at(10, "nested"), chain.at(10))
    assert.notStrictEqual(chain.at(11, "nested"), chain.at(11))
    assert.strictEqual(chain.at(15, "nested"), chain.at(15, "long"))
    assert.strictEqual(chain.block(chain.at(30).hash), chain.at(30))
    assert.throws(() => chain.head("none"), "none")
  })

  it("is the same for the same seed, and forks change nothing beside them", () => {
    const again = makeChain(crypto, { seed: "a", levels: 36, forks, headTime: 1_800_000_000 })
    assert.strictEqual(hashText(again.head("nested")), hashText(chain.head("nested")))
    assert.notStrictEqual(hashText(makeChain(crypto, { seed: "b", levels: 36 }).head()), hashText(chain.head()))
    const fewer = makeChain(crypto, { seed: "a", levels: 36, forks: forks.slice(0, 2), headTime: 1_800_000_000 })
    assert.strictEqual(hashText(fewer.head("long")), hashText(chain.head("long")))
  })

  it("ends at its head time, over all branches; the first block of a fork has round 1 and beats its rival", () => {
    const heads = chain.branchNames.map((name) => chain.head(name).header.timestamp)
    assert.strictEqual(Math.max(...heads), 1_800_000_000)
    assert.isAbove(compareFitness(chain.at(11, "long").header.fitness, chain.at(11).header.fitness), 0)
    assert.isAbove(compareFitness(chain.head("long").header.fitness, chain.head().header.fitness), 0)
    assert.isBelow(compareFitness(chain.head("short").header.fitness, chain.head().header.fitness), 0)
    assert.strictEqual(chain.at(12).header.raw.length, 257)
    assert.strictEqual(chain.at(32).header.raw.length, 289)
    assert.strictEqual(protocolFields(chain.at(32).header).era, "tenderbake")
    assert.strictEqual(chain.at(1).operations.length, 0)
  })

  it("takes shapes: passes, sizes, no activation block", () => {
    const shaped = makeChain(crypto, {
      seed: "s",
      levels: 9,
      passes: 8,
      operationsPerBlock: 20,
      operationBytes: [33, 40],
      activation: false
    })
    verifyChain(shaped)
    assert.strictEqual(shaped.at(1).operations.length, 8)
    assert.strictEqual(shaped.at(5).operations.flat().length, 20)
  })

  it("survives the way through a file", () => {
    const read = readChainFile(crypto, writeChainFile(chain))
    verifyChain(read)
    assert.deepStrictEqual(read.branchNames, chain.branchNames)
    assert.strictEqual(toHex(read.chainId), toHex(chain.chainId))
    assert.deepStrictEqual([...read.blocks].map(hashText), [...chain.blocks].map(hashText))
    assert.strictEqual(read.at(12, "nested").branch.name, "long")
    assert.throws(() => readChainFile(crypto, new TextEncoder().encode("{}")), "tezos-chain/1")
  })
})

const folder = sharedPath("data/tezos/chains")
const missing = existsSync(folder) ? undefined : `recorded chains not found at ${folder}: set PEERSTRAP_SHARED`
if (missing !== undefined) console.warn(`ChainFiles.test.ts: ${missing}`)
const files = missing === undefined ? readdirSync(folder).filter((name) => name.endsWith(".json.gz")) : []

describe("recorded chains", () => {
  it("there are six, where there are any", () => assert.strictEqual(files.length, missing === undefined ? 6 : 0))

  for (const name of files) {
    it(`${name} holds, and says what it says`, () => {
      const bytes = readFileSync(join(folder, name))
      const chain = readChainFile(crypto, bytes)
      const document = JSON.parse(gunzipSync(bytes).toString())
      verifyChain(chain)
      assert.strictEqual(toHex(chain.chainId), document.chain_id)
      for (const head of document.heads) assert.strictEqual(hashText(chain.head(head.name)), head.hash)
      assert.strictEqual(chain.size, document.blocks.length)
    })
  }
})
