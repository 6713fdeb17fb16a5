import { assert, describe, it } from "@effect/vitest"
import type { ExportedBlock } from "@peerstrap/chain-bootstrap"
import { encodeOperationList, loadCrypto, toHex } from "@peerstrap/tezos-wire"
import type { TestBlock } from "@peerstrap/tezos-wire/testing"
import * as Effect from "effect/Effect"
import { chainOf } from "../src/chains/ChainSpec.ts"
import { ChainTally, isSameChain } from "../src/demo/ChainComparison.ts"
import { chainMoves, demoNetwork } from "../src/demo/ChainDemoPlan.ts"

const levels = 100
const { spec } = demoNetwork({ seed: 5, levels, operations: 3, host: "127.0.0.1", basePort: 0 }, true, 1_700_000_000)

const exported = ({ hash, header, level, operations }: TestBlock): ExportedBlock => ({
  level,
  id: toHex(hash),
  header: header.raw,
  units: operations.map(encodeOperationList)
})

/** What a store holds when everything went well, changed. */
const compared = (change: (blocks: Array<ExportedBlock>) => void = () => undefined) =>
  Effect.map(loadCrypto, (crypto) => {
    const chain = chainOf(crypto, spec)
    const { finalLevel, later } = chainMoves(levels)
    const { branch } = later.at(-1)!
    const blocks = Array.from({ length: finalLevel }, (_, i) => exported(chain.at(i + 1, branch)))
    change(blocks)
    const tally = new ChainTally(chain.at(finalLevel, branch))
    for (const block of blocks) tally.take(block)
    return { chain, comparison: tally.result() }
  })

describe("comparison with the seeded chain", () => {
  it.effect("finds the winning branch equal, and not the one that most peers had first", () =>
    Effect.gen(function*() {
      const { chain, comparison } = yield* compared()
      assert.isTrue(isSameChain(comparison))
      // Level 1 is an activation block without operations.
      assert.deepEqual([comparison.expected, comparison.equal, comparison.operations], [103, 103, 102 * 3])
      const { comparison: other } = yield* compared((blocks) => {
        for (const level of [99, 100]) blocks[level - 1] = exported(chain.at(level, "main"))
      })
      assert.deepEqual([other.equal, other.different, other.missing], [101, 2, 0])
      assert.match(other.first[0] ?? "", /^level 99: another block than B/)
    }))

  it.effect("finds changed headers and operations, missing blocks, and blocks above the head", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [string, (blocks: Array<ExportedBlock>) => void, RegExp]> = [
        ["different", (all) => void (all[9] = { ...all[9]!, header: all[8]!.header }), /level 10: another header/],
        [
          "different",
          (all) => void (all[9] = { ...all[9]!, units: all[8]!.units }),
          /level 10: other operations of pass/
        ],
        ["different", (all) => void (all[9] = { ...all[9]!, units: [] }), /level 10: 0 lists of operations, not 4/],
        ["missing", (all) => void all.pop(), /^$/],
        ["unexpected", (all) => void all.push({ ...all[9]!, level: 104 }), /level 104: nothing must be applied there/]
      ]
      for (const [kind, change, says] of cases) {
        const { comparison } = yield* compared(change)
        assert.isFalse(isSameChain(comparison), kind)
        const { different, missing, unexpected } = comparison
        assert.deepEqual({ different: 0, missing: 0, unexpected: 0, [kind]: 1 }, { different, missing, unexpected })
        assert.match(comparison.first.join("\n"), says)
      }
    }))
})
