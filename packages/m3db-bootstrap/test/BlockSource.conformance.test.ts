import { assert, describe, it } from "@effect/vitest"
import { mutantSuiteOf } from "@peerstrap/conformance"
import { simulatedRun } from "@peerstrap/simulator"
import { Memory } from "@peerstrap/transport"
import * as Layer from "effect/Layer"
import { directSourceLayer } from "../src/testing/BlockSourceMutants.ts"
import { blockSourceKit, blockSourceSuite } from "../src/testing/BlockSourceSuite.ts"
import { tchannel } from "./support/TChannelSource.ts"

const everything = { "declares-errors": true, "bounds-answers": true, "counts-bytes": true, "counts-calls": true }

describe("sources keep the contract:", () => {
  blockSourceSuite("in this process,", directSourceLayer(), { capabilities: everything, test: it })

  const seen = { ...everything, "counts-calls": false }
  const inMemory = Layer.provide(tchannel(""), Memory.layer)
  const { leftOut } = blockSourceSuite("TChannel in memory,", inMemory, { capabilities: seen, test: it })
  blockSourceSuite(
    "TChannel with two connections, in small frames,",
    Layer.provide(tchannel("frame-size:90", { connections: 2 }), Memory.layer),
    {
      capabilities: seen,
      test: it
    }
  )
  blockSourceSuite("TChannel with healthy oddities,", Layer.provide(tchannel("empty-pages:2"), Memory.layer), {
    capabilities: seen,
    test: it
  })
  blockSourceSuite("TChannel, simulated and slow,", Layer.provide(tchannel("delay:20+slow:200000"), Memory.layer), {
    capabilities: seen,
    test: it,
    run: simulatedRun({ seed: 3 })
  })

  it("only what a client of our own counts is left out", () => assert.strictEqual(leftOut.length, 1))
})

describe("the kit of sources", () => mutantSuiteOf(blockSourceKit, it))
