import { assert, describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { decodeBlock } from "@peerstrap/m3tsz"
import { compose, Host } from "@peerstrap/plugin-host"
import { simulatedRun } from "@peerstrap/simulator"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { BlockKey } from "../src/contract/BlockSink.ts"
import { discardSink } from "../src/plugin/index.ts"
import { blockSinkKit, blockSinkSuite } from "../src/testing/BlockSinkSuite.ts"
import { memoryBlockSinkLayer } from "../src/testing/MemoryBlockSink.ts"
import { SinkStore } from "../src/testing/SinkStore.ts"

const everything = {
  "readable": true,
  "unique-ids": true,
  "write-once": true,
  "power-cut": true,
  "reopens": true,
  "counts-handles": true
}

const nothing = {
  "readable": false,
  "unique-ids": false,
  "write-once": false,
  "power-cut": false,
  "reopens": false,
  "counts-handles": false
}

/** As a store that keeps points shows what it has. */
const seenAsPoints = Layer.effectContext(Effect.gen(function*() {
  const context = yield* Layer.build(memoryBlockSinkLayer())
  const store = Context.get(context, SinkStore)
  const published = (key: BlockKey) =>
    Effect.map(store.published!(key), (series) =>
      series?.map((one) => {
        if ("points" in one) return one
        const points = decodeBlock([one.bytes], { maxPoints: 10_000 })
        if ("_tag" in points) throw new Error(points.message)
        return { id: one.id, tags: one.tags, points }
      }))
  return Context.add(context, SinkStore, { ...store, published })
}))

describe("sinks keep the contract:", () => {
  blockSinkSuite("in memory,", memoryBlockSinkLayer(), { capabilities: everything, test: it })
  blockSinkSuite("in memory and slow,", memoryBlockSinkLayer(3), { capabilities: everything, test: it })
  blockSinkSuite("in memory, simulated,", memoryBlockSinkLayer(1), {
    capabilities: everything,
    test: it,
    run: simulatedRun({ seed: 1 })
  })

  blockSinkSuite("in memory, seen as points,", seenAsPoints, { capabilities: everything, test: it })

  const discarding = Layer.effectContext(Effect.map(Host.start(compose(discardSink({}))), ({ context }) => context))
  const { asked, leftOut } = blockSinkSuite(
    "m3db.sink.discard,",
    Layer.merge(discarding, Layer.succeed(SinkStore, {})),
    { capabilities: nothing, test: it }
  )
  it("a sink that keeps nothing is asked what needs no eyes", () => {
    assert.deepStrictEqual(asked, [
      "takes the calls of a run",
      "goes on after calls that were interrupted at each step"
    ])
    assert.strictEqual(asked.length + leftOut.length, blockSinkKit.checks.length)
  })
})

describe("the kit of sinks", () => mutantSuiteOf(blockSinkKit, it))
