// Locators that we send equal those of a real node's code; those that it sends are read with their levels.
import { assert, describe, it } from "@effect/vitest"
import type { LocatorSource } from "@peerstrap/chain-bootstrap"
import { decodeHash, encodePeerMessage } from "@peerstrap/tezos-wire"
import { receiveFrame } from "../src/engine/Incoming.ts"
import { messageOf } from "../src/engine/Outgoing.ts"
import type { PeerContext } from "../src/engine/PeerContext.ts"
import {
  bytes,
  chainsMissing,
  crypto,
  facts,
  idOf,
  type SampleBlock,
  type SampleChain,
  sampleChains
} from "./chains.ts"

if (chainsMissing !== undefined) console.warn(`Locators.golden.test.ts: ${chainsMissing}`)

const peerId = (text: string): Uint8Array => {
  const id = decodeHash("peer", text)
  if (id instanceof Uint8Array) return id
  throw new Error(id.message)
}

/** Ids from genesis to a head. */
const idsTo = ({ blocks, network, rules }: SampleChain, headId: string): ReadonlyArray<string> => {
  const byId = new Map(blocks.map((block) => [block.id, block]))
  const ids: Array<string> = []
  for (let at: SampleBlock | undefined = byId.get(headId); at !== undefined;) {
    ids.unshift(at.id)
    at = byId.get(facts(rules, at.header).parent)
  }
  return [network.genesis.id, ...ids]
}

const contextOf = ({ network, rules }: SampleChain, own: string, peer: string): PeerContext => ({
  digests: crypto,
  rules,
  chainId: network.chainIdBytes,
  ownId: peerId(own),
  peerId: peerId(peer),
  ancestors: true
})

describe("locators of sample chains", () => {
  let built = 0
  for (const sample of sampleChains) {
    for (const [index, locator] of (sample.expected.locators ?? []).entries()) {
      const name = `${sample.name}: ${index}, ${locator.style}, at most ${locator.max}, from ${locator.lower_end_level}`
      const head = sample.blocks.find(({ id }) => id === idOf(locator.head))!
      const ids = idsTo(sample, head.id)
      const source: LocatorSource = {
        head: facts(sample.rules, head.header),
        lowestLevel: locator.lower_end_level,
        idAt: (level) => ids[level]!
      }
      const hashes = locator.hashes.map(idOf)

      // Ours has up to 250 entries and ends with the lower end.
      if (locator.style === "octez" && hashes.length < locator.max) {
        built++
        it(`${name}: built`, () => {
          const message = messageOf(contextOf(sample, locator.sender, locator.receiver), {
            kind: "branch",
            chain: source
          })
          if (message?._tag !== "CurrentBranch") return assert.fail()
          assert.deepStrictEqual(message.history, hashes.map(bytes))
          assert.deepStrictEqual(message.header.raw, head.header)
        })
      }

      it(`${name}: read`, () => {
        const frame = encodePeerMessage({
          _tag: "CurrentBranch",
          chainId: sample.network.chainIdBytes,
          header: { raw: head.header } as never,
          history: hashes.map(bytes)
        })
        const answer = receiveFrame(contextOf(sample, locator.receiver, locator.sender), frame)
        if (!("incoming" in answer) || answer.incoming.kind !== "branch") return assert.fail(JSON.stringify(answer))
        const { entries } = answer.incoming
        assert.deepStrictEqual(entries.map(({ id }) => id), [head.id, ...hashes])
        const strict = entries.slice(1, -1)
        assert.deepStrictEqual(strict.map(({ level }) => level), locator.levels.slice(0, -1))
        assert.isTrue(strict.every(({ exact }) => exact))
        const last = entries.at(-1)!
        assert.isFalse(last.exact)
        assert.isAtMost(last.level!, locator.levels.at(-1)!)
      })
    }
  }

  it("enough of them are there", () => {
    if (chainsMissing === undefined) assert.isAtLeast(built, 8)
  })
})
