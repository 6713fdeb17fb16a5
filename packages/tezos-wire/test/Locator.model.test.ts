// Seeded steps and locators: recorded values, both styles of building, and reading back what was built, also against a naive second version.
import { assert, describe, it } from "@effect/vitest"
import {
  buildLocator,
  decodeHash,
  decodeHeader,
  encodeHash,
  headerHash,
  Limits,
  locatorFault,
  readLocator,
  SeededSteps,
  toHex
} from "@peerstrap/tezos-wire"
import * as fc from "fast-check"
import { digests } from "./digests.ts"
import { recordedChains, recordedMissing, sound } from "./recorded.ts"
import { bytes, eachVector } from "./vectors.ts"

const run = { seed: 20_261_204 }
const blockHash = (text: string) => sound(decodeHash("block", text))
const blockText = (hash: Uint8Array) => encodeHash("block", hash)
const peer = (text: string) => sound(decodeHash("peer", text))

/** The n-th distance, straight from the definition with integers of any size. */
const naiveSteps = (sender: Uint8Array, receiver: Uint8Array, headHash: Uint8Array, count: number): Array<number> => {
  let seed = digests.sha256(Uint8Array.from([...sender, ...receiver, ...headHash]))
  return Array.from({ length: count }, (_, i) => {
    const step = 1n << BigInt(Math.floor(i / 10))
    if (step === 1n) return 1
    const drawn = BigInt.asIntN(32, BigInt(`0x${toHex(seed.subarray(0, 4))}`))
    seed = digests.sha256(seed)
    return Number(step - drawn % (step / 2n + 1n))
  })
}

const ids = fc.record({
  sender: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  receiver: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  headHash: fc.uint8Array({ minLength: 32, maxLength: 32 })
})

/** A chain whose block at a level has the level as its hash. */
const levelHash = (level: number) => {
  const hash = new Uint8Array(32)
  new DataView(hash.buffer).setUint32(0, level)
  return hash
}
const hashLevel = (hash: Uint8Array) => new DataView(hash.buffer).getUint32(0)

describe("seeded steps", () => {
  if (recordedMissing !== undefined) console.warn(recordedMissing)

  it("are those that a real node draws", () => {
    const steps = new SeededSteps(digests, {
      sender: new Uint8Array(16).fill(0x73),
      receiver: new Uint8Array(16).fill(0x72),
      headHash: blockHash("BLrJE6yTjLLuEYgyqLxDBduEuA5S1uCkiq499tCK81TLoqTbNmm")
    })
    const first = Array.from({ length: 29 }, () => steps.next())
    assert.deepStrictEqual(first, [...new Uint8Array(11).fill(1), 2, 3, 2, 1, 1, 1, 1, 1, 2, 3, 5, 3, 6, 5, 2, 4, 2, 4])
  })

  it("and their inner state, of the recorded vector", () => {
    eachVector("seeded_step", 1, ({ expected, input }) => {
      const [sender, receiver, headHash] = [input.sender_id_hex, input.receiver_id_hex, input.head_hash_hex].map(bytes)
      const steps = new SeededSteps(digests, { sender: sender!, receiver: receiver!, headHash: headHash! })
      const state = () => ({ step: steps.step, counter: steps.counter, seed: toHex(steps.seed) })
      assert.deepStrictEqual(state(), input.initial_state)
      for (const [i, step] of expected.steps.entries()) {
        assert.strictEqual(steps.next(), step)
        assert.deepStrictEqual(state(), expected.states_after[i])
      }
      const again = new SeededSteps(digests, { sender: sender!, receiver: receiver!, headHash: headHash! })
      assert.deepStrictEqual(expected.steps_extended_250.map(() => again.next()), expected.steps_extended_250)
    })
  })

  it("follow the definition up to step 2^30, lie within half a step, and end there", () => {
    fc.assert(
      fc.property(ids, ({ headHash, receiver, sender }) => {
        const steps = new SeededSteps(digests, { headHash, receiver, sender })
        const naive = naiveSteps(sender, receiver, headHash, 310)
        for (const [i, expected] of naive.entries()) {
          const { step } = steps
          assert.strictEqual(steps.next(), expected, `value ${i}`)
          assert.isTrue(expected >= step / 2 && expected <= 1.5 * step)
        }
        assert.strictEqual(steps.step, 2 * Limits.maxLocatorStep)
        assert.isUndefined(steps.next())
        assert.isUndefined(steps.next())
      }),
      { ...run, numRuns: 20 }
    )
  })

  it("gaps of both signs occur: a signed remainder", () => {
    const naive = naiveSteps(new Uint8Array(16), new Uint8Array(16), new Uint8Array(32), 200)
    const beside = naive.map((value, i) => value - 2 ** Math.floor(i / 10))
    assert.isTrue(beside.some((gap) => gap > 0) && beside.some((gap) => gap < 0))
  })

  it("need ids and a hash of the right size", () => {
    const seed = { sender: new Uint8Array(16), receiver: new Uint8Array(16), headHash: new Uint8Array(32) }
    assert.throws(() => new SeededSteps(digests, { ...seed, sender: new Uint8Array(15) }), RangeError, "15")
    assert.throws(() => new SeededSteps(digests, { ...seed, headHash: new Uint8Array(33) }), RangeError, "33")
  })
})

describe("reading a locator", () => {
  it("a real one of 161 entries: all levels, confirmed by headers", () => {
    eachVector("locator_real", 1, ({ expected, input }) => {
      const tail: ReadonlyArray<Uint8Array> = expected.history_from_index_129.map(blockHash)
      const unknown = Array.from({ length: input.history_length - tail.length }, (_, i) => levelHash(i))
      const entries = readLocator(digests, {
        sender: bytes(input.sender_id_hex),
        receiver: bytes(input.receiver_id_hex),
        headHash: bytes(input.head_hash_hex),
        headLevel: input.head_level,
        history: [...unknown, ...tail]
      })
      assert.deepStrictEqual(entries.slice(0, -1).map(({ level }) => level), expected.levels.slice(0, -1))
      assert.isTrue(entries.slice(0, -1).every(({ exact }) => exact))
      assert.strictEqual(expected.levels.at(-1), -64_172)
      const last = entries.at(-1)!
      assert.deepStrictEqual([last.level, last.exact], [0, false])
      assert.strictEqual(blockText(last.hash), "BLockGenesisGenesisGenesisGenesisGenesisd6f5afWyME7")
      for (const { hash, header_hex: headerHex, index, level } of expected.entries_confirmed_by_headers) {
        assert.strictEqual(entries[index]!.level, level)
        if (headerHex === undefined) continue
        const header = sound(decodeHeader(bytes(headerHex)))
        assert.strictEqual(header.level, level)
        assert.strictEqual(blockText(headerHash(digests, header.raw)), hash)
        if (index >= unknown.length) assert.strictEqual(blockText(entries[index]!.hash), hash)
      }
    })
  })

  it("gives each block of an honest locator its level, for any chain, lower end and size", () => {
    const chain = fc.record({ headLevel: fc.nat(3_000_000), pruned: fc.double({ min: 0, max: 1, noNaN: true }) })
    const style = fc.constantFrom("octez", "tezedge" as const)
    fc.assert(
      fc.property(ids, chain, fc.nat(250), style, (seed, { headLevel, pruned }, size, kind) => {
        const lowestLevel = Math.floor(headLevel * pruned)
        const history = buildLocator(digests, {
          ...seed,
          headLevel,
          lowestLevel,
          size,
          style: kind as "octez" | "tezedge",
          hashAt: levelHash
        })
        assert.isAtMost(history.length, size)
        const levels = history.map(hashLevel)
        // The naive chain: walk down by the naive steps until the lower end is passed.
        const naive: Array<number> = []
        let at = headLevel
        for (const step of naiveSteps(seed.sender, seed.receiver, seed.headHash, size)) {
          if (at - step < lowestLevel) {
            if (kind === "octez" && at > lowestLevel) naive.push(lowestLevel)
            break
          }
          naive.push(at -= step)
        }
        assert.deepStrictEqual(levels, naive)
        const entries = readLocator(digests, { ...seed, headLevel, history })
        for (const [i, { exact, level }] of entries.entries()) {
          assert.strictEqual(exact, i < entries.length - 1)
          if (exact) assert.strictEqual(level, levels[i])
          else assert.isTrue(level! <= levels[i]! && level! >= 0)
        }
        if (headLevel > 0) assert.isUndefined(locatorFault(levelHash(headLevel - 1), entries))
      }),
      { ...run, numRuns: 150 }
    )
  })

  it("stops giving levels below 0 and beyond step 2^30", () => {
    const seed = { sender: new Uint8Array(16), receiver: new Uint8Array(16), headHash: new Uint8Array(32) }
    const history = Array.from({ length: 1_000 }, (_, i) => levelHash(i))
    const low = readLocator(digests, { ...seed, headLevel: 5, history })
    assert.deepStrictEqual(low.slice(0, 7).map(({ level }) => level), [4, 3, 2, 1, 0, undefined, undefined])
    assert.deepStrictEqual(low.slice(0, 7).map(({ exact }) => exact), [true, true, true, true, true, false, false])
    assert.strictEqual(low.at(-1)!.level, undefined)
    assert.match(locatorFault(levelHash(0), low)!, /entry 5 of 1000 would lie below level 0/)
    const high = readLocator(digests, { ...seed, headLevel: Number.MAX_SAFE_INTEGER, history })
    assert.strictEqual(high.findIndex(({ level }) => level === undefined), 310)
    assert.isTrue(high.slice(310).every(({ exact, level }) => !exact && level === undefined))
    const near = readLocator(digests, { ...seed, headLevel: 2, history: history.slice(0, 3) })
    assert.deepStrictEqual(near.map(({ exact, level }) => [level, exact]), [[1, true], [0, true], [0, false]])
    assert.deepStrictEqual(readLocator(digests, { ...seed, headLevel: 2, history: [] }), [])
  })

  it("finds what no honest locator has", () => {
    const seed = { sender: new Uint8Array(16), receiver: new Uint8Array(16), headHash: new Uint8Array(32) }
    const fault = (levels: ReadonlyArray<number>, headLevel = 100) =>
      locatorFault(levelHash(99), readLocator(digests, { ...seed, headLevel, history: levels.map(levelHash) }))
    assert.isUndefined(fault([99, 98, 97]))
    assert.isUndefined(fault([]))
    assert.match(fault([98, 97])!, /predecessor/)
    assert.match(fault([99, 98, 99])!, /1 of 3 entries are repeated/)
  })
})

describe("building a locator", () => {
  const chains = recordedMissing === undefined ? recordedChains() : []

  it.skipIf(recordedMissing !== undefined)("of the sample chains gives the recorded ones, in both styles", () => {
    const styles: Record<string, number> = {}
    for (const [name, chain] of chains) {
      const headers = new Map<string, { readonly level: number; readonly predecessor: string }>()
      for (const { hash, header_hex: headerHex, level } of chain.blocks) {
        headers.set(hash, { level, predecessor: blockText(sound(decodeHeader(bytes(headerHex))).predecessor) })
      }
      for (const locator of chain.expected.locators ?? []) {
        const { head, hashes, levels, lower_end_level: lowestLevel, max: size, receiver, sender, style } = locator
        const byLevel = new Map<number, string>([[0, chain.genesis.hash]])
        for (let hash = head; headers.has(hash); hash = headers.get(hash)!.predecessor) {
          byLevel.set(headers.get(hash)!.level, hash)
        }
        const headLevel = headers.get(head)!.level
        const seed = { sender: peer(sender), receiver: peer(receiver), headHash: blockHash(head) }
        const hashAt = (level: number) => blockHash(byLevel.get(level)!)
        const history = buildLocator(digests, { ...seed, headLevel, lowestLevel, size, style, hashAt })
        assert.deepStrictEqual(history.map(blockText), hashes, `${name} ${style} ${head}`)
        const entries = readLocator(digests, { ...seed, headLevel, history })
        assert.deepStrictEqual(entries.slice(0, -1).map(({ level }) => level), levels.slice(0, -1))
        assert.isAtMost(entries.at(-1)!.level!, levels.at(-1))
        assert.isUndefined(locatorFault(blockHash(headers.get(head)!.predecessor), entries))
        styles[style] = (styles[style] ?? 0) + 1
      }
    }
    assert.deepStrictEqual(styles, { octez: 30, tezedge: 5 })
  })

  it("ends where the chain no longer answers, and asks for nothing below its lower end", () => {
    const seed = { sender: new Uint8Array(16), receiver: new Uint8Array(16), headHash: new Uint8Array(32) }
    const asked: Array<number> = []
    const hashAt = (level: number) => {
      asked.push(level)
      return level > 95 ? levelHash(level) : undefined
    }
    const history = buildLocator(digests, { ...seed, headLevel: 100, lowestLevel: 90, hashAt })
    assert.deepStrictEqual(history.map(hashLevel), [99, 98, 97, 96])
    assert.deepStrictEqual(asked, [99, 98, 97, 96, 95])
    assert.deepStrictEqual(buildLocator(digests, { ...seed, headLevel: 90, lowestLevel: 90, hashAt }), [])
    const all = buildLocator(digests, { ...seed, headLevel: 4_000_000_000, lowestLevel: 0, hashAt: levelHash })
    assert.strictEqual(all.length, Limits.locatorEntries)
  })
})
