// The rules against every sample chain: ids, links, units with their recorded paths, whole bodies, and what must be refused.
import { assert, describe, it } from "@effect/vitest"
import type { HeaderFacts } from "@peerstrap/chain-bootstrap"
import { buildPaths, toHex } from "@peerstrap/tezos-wire"
import { listHashes } from "../src/engine/OperationList.ts"
import { bytes, chainsMissing, crypto, facts, idOf, type SampleBlock, sampleChain, sampleChains } from "./chains.ts"

if (chainsMissing !== undefined) console.warn(`TezosRules.golden.test.ts: ${chainsMissing}`)
const chainIt = chainsMissing === undefined ? it : it.skip

const pathsOf = (block: SampleBlock): ReadonlyArray<Uint8Array> => {
  const hashes = listHashes(crypto, block.units)
  if (typeof hashes === "string") throw new Error(hashes)
  return buildPaths(crypto, hashes)
}

describe("TezosRules on sample chains", () => {
  chainIt("there are six", () => assert.strictEqual(sampleChains.length, 6))

  for (const { blocks, expected, heads, name, network, rules } of sampleChains) {
    const genesis = rules.genesis!
    const known = new Map<string, HeaderFacts>([[genesis.id, genesis]])
    for (const block of blocks) known.set(block.id, facts(rules, block.header))

    it(`${name}: headers have their ids and follow each other`, () => {
      assert.strictEqual(genesis.id, network.genesis.id)
      for (const block of blocks) {
        const header = known.get(block.id)!
        assert.strictEqual(header.id, block.id)
        assert.strictEqual(header.level, block.level)
        assert.strictEqual(header.units, block.units.length)
        assert.isUndefined(rules.checkAlone(header, header.timeSeconds - 1))
        assert.isString(rules.checkAlone(header, header.timeSeconds - 2))
        assert.isUndefined(rules.checkLink(header, known.get(header.parent)!))
        assert.isString(rules.checkLink(header, header))
      }
    })

    it(`${name}: every unit leads to its header, a wrong pass and a shortened list do not`, () => {
      for (const block of blocks) {
        const header = known.get(block.id)!
        assert.isUndefined(rules.verifyBody(header, block.units))
        const paths = pathsOf(block)
        for (const [unit, body] of block.units.entries()) {
          assert.isUndefined(rules.verifyUnit(header, unit, body, paths[unit]!))
          assert.isString(
            rules.verifyUnit(header, unit, body.subarray(0, -1), paths[unit]!) ?? (body.length === 0 ? "" : undefined)
          )
        }
        if (block.units.length < 2 || block.level > 60) continue
        for (const [unit, body] of block.units.entries()) {
          const other = (unit + 1) % block.units.length
          assert.isString(rules.verifyUnit(header, other, body, paths[unit]!))
          assert.isString(rules.verifyUnit(header, block.units.length + unit, body, paths[unit]!))
          assert.isString(
            rules.verifyUnit(header, unit, body, new Uint8Array([0xf0, ...paths[unit]!, ...new Uint8Array(32)]))
          )
          if (body.length === 0) continue
          const without = body.subarray(4 + new DataView(body.buffer, body.byteOffset).getUint32(0))
          assert.isString(rules.verifyUnit(header, unit, without, paths[unit]!))
          assert.isString(rules.verifyBody(header, block.units.map((each, i) => i === unit ? without : each)))
        }
        assert.isString(rules.verifyBody(header, block.units.slice(1)))
      }
    })

    it(`${name}: the recorded blocks`, () => {
      assert.isAtLeast(expected.blocks.length, 1)
      for (const recorded of expected.blocks) {
        const header = known.get(idOf(recorded.hash))!
        assert.strictEqual(header.id, recorded.hash_hex)
        assert.strictEqual(rules.displayId(header.id), recorded.hash)
        assert.strictEqual(header.parent, idOf(recorded.predecessor))
        assert.strictEqual(header.timeSeconds, recorded.timestamp)
        const block = blocks.find(({ id }) => id === header.id)!
        recorded.paths_hex.forEach((path: string, unit: number) =>
          assert.isUndefined(rules.verifyUnit(header, unit, block.units[unit]!, bytes(path)))
        )
        assert.deepStrictEqual(pathsOf(block).map(toHex), recorded.paths_hex)
      }
    })

    const weight = (head: string) => known.get(idOf(heads.find((each) => each.name === head)!.hash))!.weight
    it(`${name}: heads by weight`, () => {
      // The real chain has no such list; there the longer branch is the fitter one.
      const order = expected.heads_by_rising_fitness ?? ["branch-1", "main"]
      for (let i = 1; i < order.length; i++) {
        assert.isAtMost(rules.compareWeight(weight(order[i - 1]!), weight(order[i]!)), 0)
        assert.isAtLeast(rules.compareWeight(weight(order[i]!), weight(order[i - 1]!)), 0)
      }
    })
  }

  chainIt("facts own their bytes", () => {
    const { blocks, rules } = sampleChain("linear-300")
    const received = new Uint8Array(blocks[5]!.header)
    const header = facts(rules, received)
    received.fill(0xdd)
    assert.deepStrictEqual(header, facts(rules, blocks[5]!.header))
    assert.deepStrictEqual(header.bytes, blocks[5]!.header)
  })
})
