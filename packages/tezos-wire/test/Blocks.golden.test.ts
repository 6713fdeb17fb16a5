// Whole recorded blocks: header, links, operations of each pass, paths and the messages that carry them.
import { assert, describe, it } from "@effect/vitest"
import {
  buildPaths,
  chainIdOf,
  compareFitness,
  decodeHash,
  decodeHeader,
  decodeOperationList,
  decodePeerMessage,
  encodeHash,
  encodeOperationList,
  encodePeerMessage,
  type HeaderFields,
  headerHash,
  operationHash,
  operationListHash,
  operationListListHash,
  type OperationsForBlocks,
  toHex,
  verifyOperations
} from "@peerstrap/tezos-wire"
import { digests } from "./digests.ts"
import { recordedChains, recordedJson, recordedLines, recordedMissing, sound, tagged } from "./recorded.ts"
import { bytes } from "./vectors.ts"

const blockHash = (text: string) => sound(decodeHash("block", text))

const listsOf = (passes: ReadonlyArray<ReadonlyArray<string>>) => passes.map((hexes) => hexes.map(bytes))

/** Hash of the header, root of its operations, and the message of each pass, verified. */
const checkBlock = (hash: string, headerHex: string, passes: ReadonlyArray<ReadonlyArray<Uint8Array>>) => {
  const header = sound(decodeHeader(bytes(headerHex)))
  assert.strictEqual(encodeHash("block", headerHash(digests, header.raw)), hash)
  assert.strictEqual(header.validationPass, passes.length)
  const lists = passes.map((operations) => operationListHash(digests, operations))
  assert.strictEqual(toHex(operationListListHash(digests, lists)), toHex(header.operationsHash))
  const bodies = buildPaths(digests, lists).map((path, pass) => {
    const operations = passes[pass]!
    const message: OperationsForBlocks = { _tag: "OperationsForBlocks", block: blockHash(hash), pass, path, operations }
    const body = encodePeerMessage(message)
    const received = sound(decodePeerMessage(body)) as OperationsForBlocks
    assert.deepStrictEqual(received, message)
    const { operationsHash, validationPass: validationPasses } = header
    assert.isUndefined(verifyOperations(digests, { ...received, operationsHash, validationPasses }))
    assert.deepStrictEqual(sound(decodeOperationList(encodeOperationList(operations))), operations)
    return body.subarray(2)
  })
  return { header, lists, bodies }
}

/** A recorded body of OperationsForBlocks beside the header that it belongs to. */
const checkBody = (bodyHex: string, hash: string, operationsHash: Uint8Array, pass: number): OperationsForBlocks => {
  const body = tagged(0x61, bytes(bodyHex))
  const message = sound(decodePeerMessage(body)) as OperationsForBlocks
  assert.strictEqual(toHex(message.block), toHex(blockHash(hash)))
  assert.strictEqual(message.pass, pass)
  assert.isUndefined(verifyOperations(digests, { ...message, operationsHash, validationPasses: 4 }))
  assert.strictEqual(toHex(encodePeerMessage(message)), toHex(body))
  return message
}

/** Block 2 of Alphanet, 2018: four passes without operations. */
const alphanet2 = {
  hash: "BLwKksYwrxt39exDei7yi47h7aMcVY2kZMZhTwEEoSUwToQUiDV",
  header:
    "0000000201dd9fb5edc4f29e7d28f41fe56d57ad172b7686ed140ad50294488b68de29474d000000005c017cd804683625c2445a4e9564"
    + "bf710c5528fd99a7d150d2a2a323bc22ff9e2710da4f6d0000001100000001000000000800000000000000029bd8c75dec93c276d2d8e8"
    + "febc3aa6c9471cb2cb42236b3ab4ca5f1f2a0892f6000500000003ba671eef00d6a8bea20a4677fae51268ab6be7bd8cfc373cd6ac9e0a"
    + "00064efcc404e1fb39409c5df255f7651e3d1bb5d91cb2172b687e5d56ebde58cfd92e1855aaafbf05"
}

describe("a block of Alphanet", () => {
  it("its header, its empty passes and the messages that carry them", () => {
    const { bodies, header } = checkBlock(alphanet2.hash, alphanet2.header, [[], [], [], []])
    assert.strictEqual(header.level, 2)
    assert.deepStrictEqual(bodies.map(({ length }) => length), [100, 100, 100, 100])
  })
})

describe("recorded blocks", () => {
  if (recordedMissing !== undefined) console.warn(recordedMissing)
  const recorded = it.skipIf(recordedMissing !== undefined)

  recorded("of Alphanet and Edonet", () => {
    let [blocks, operations] = [0, 0]
    for (const name of ["alphanet-2-3", "edonet-2-4"]) {
      let below: HeaderFields | undefined
      for (const block of recordedJson(`blocks/${name}.json`).blocks) {
        const { header } = checkBlock(block.hash, block.header_hex, listsOf(block.operations))
        if (below !== undefined) {
          assert.strictEqual(toHex(header.predecessor), toHex(headerHash(digests, below.raw)))
          assert.isAbove(compareFitness(header.fitness, below.fitness), 0)
        }
        below = header
        blocks++
        operations += block.operations.flat().length
      }
    }
    assert.deepStrictEqual([blocks, operations], [5, 5])
  })

  recorded("of two branches of a sandbox, with the messages that a node sent", () => {
    let messages = 0
    for (const { blocks } of recordedJson("blocks/sandbox-fork.json").branches) {
      for (const block of blocks) {
        const passes = listsOf(block.operations)
        const { bodies, header } = checkBlock(block.hash, block.header_hex, passes)
        for (const [pass, hex] of Object.entries<string>(block.operations_for_blocks_bodies)) {
          assert.strictEqual(toHex(bodies[Number(pass)]!), hex)
          checkBody(hex, block.hash, header.operationsHash, Number(pass))
          messages++
        }
      }
    }
    assert.isAtLeast(messages, 20)
  })

  recorded("of a captured session: headers and 35 messages", () => {
    let messages = 0
    for (const block of recordedJson("blocks/carthagenet-headers-with-ops.json").blocks) {
      const header = sound(decodeHeader(bytes(block.header_hex)))
      assert.strictEqual(encodeHash("block", headerHash(digests, header.raw)), block.hash)
      for (const [pass, recordedPass] of Object.entries<any>(block.passes)) {
        const message = checkBody(recordedPass.body_hex, block.hash, header.operationsHash, Number(pass))
        assert.strictEqual(message.operations.length, recordedPass.operation_count)
        messages++
      }
    }
    assert.strictEqual(messages, 35)
  })

  recorded("1,327 consecutive ones with 5,308 messages", () => {
    const [about, ...blocks] = recordedLines("blocks/carthagenet-ops-2-1328.jsonl.gz")
    assert.strictEqual(about.chain_id, "9caecab9")
    let messages = 0
    const totals = [0, 0, 0, 0]
    for (const { bodies, hash, op_counts: counts, operations_hash: root } of blocks) {
      const operationsHash = sound(decodeHash("operationListList", root))
      for (const [pass, body] of bodies.entries()) {
        const { operations } = checkBody(body, hash, operationsHash, pass)
        assert.strictEqual(operations.length, counts[pass])
        totals[pass]! += operations.length
        messages++
      }
    }
    assert.deepStrictEqual(totals, [7_893, 0, 59, 156])
    assert.strictEqual(messages, 5_308)
  })
})

describe("sample chains", () => {
  const chains = recordedMissing === undefined ? recordedChains() : []

  it.skipIf(recordedMissing !== undefined)("there are six", () => assert.strictEqual(chains.length, 6))

  for (const [name, chain] of chains) {
    it(`${name}: hashes, links, roots, paths and messages`, () => {
      assert.strictEqual(toHex(chainIdOf(digests, blockHash(chain.genesis.hash))), chain.chain_id)
      const fitness = new Map<string, HeaderFields>()
      const built = new Map<string, ReturnType<typeof checkBlock>>()
      let operations = 0
      for (const block of chain.blocks) {
        const made = checkBlock(block.hash, block.header_hex, listsOf(block.operations))
        const predecessor = encodeHash("block", made.header.predecessor)
        const below = fitness.get(predecessor)
        if (block.level === 1) assert.strictEqual(predecessor, chain.genesis.hash)
        else {
          assert.strictEqual(made.header.level, below!.level + 1)
          assert.isAbove(compareFitness(made.header.fitness, below!.fitness), 0)
        }
        fitness.set(block.hash, made.header)
        built.set(block.hash, made)
        operations += block.operations.flat().length
      }
      assert.strictEqual(operations, chain.expected.totals.operations)
      const heads: ReadonlyArray<string> = chain.expected.heads_by_rising_fitness ?? []
      const headFitness = heads.map((head) =>
        fitness.get(chain.heads.find((each: any) => each.name === head).hash)!.fitness
      )
      for (let i = 1; i < heads.length; i++) assert.isAtMost(compareFitness(headFitness[i - 1]!, headFitness[i]!), 0)
      for (const expected of chain.expected.blocks) {
        const { bodies, lists } = built.get(expected.hash)!
        const passes = listsOf(chain.blocks.find((each: any) => each.hash === expected.hash).operations)
        assert.deepStrictEqual(lists.map((list) => encodeHash("operationList", list)), expected.list_hashes)
        assert.deepStrictEqual(
          passes.map((some) => some.map((operation) => encodeHash("operation", operationHash(digests, operation)))),
          expected.operation_hashes
        )
        const paths = buildPaths(digests, lists).map(toHex)
        if (expected.paths_hex !== undefined) assert.deepStrictEqual(paths, expected.paths_hex)
        assert.deepStrictEqual(bodies.map((body) => toHex(digests.sha256(body))), expected.body_0x61_sha256)
      }
    })
  }
})
