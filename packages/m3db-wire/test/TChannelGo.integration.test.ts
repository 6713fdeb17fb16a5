// Our frames, fragments and checksums against the TChannel library that real M3DB nodes are made of (interop/go), both ways.
// The cases stand in the modules imported first, in one test file: the peer is built once.
import "./tchannel-go/OursCallsGo.ts"
import "./tchannel-go/NodeClientCallsGo.ts"
import "./tchannel-go/GoCallsOurs.ts"
import "./tchannel-go/RandomCalls.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { goPeerFolder, goPeerMissing, pinnedLibrary, startGoPeer } from "./tchannel-go/GoPeer.ts"
import { describeGo, goTest } from "./tchannel-go/GoTest.ts"

if (goPeerMissing !== undefined) {
  console.warn(`TChannelGo.integration.test.ts: nothing is held against tchannel-go: ${goPeerMissing}`)
}

describe("the Go peer", () => {
  it("is pinned to the library version that its README names", () => {
    assert.include(readFileSync(join(goPeerFolder, "README.md"), "utf8"), pinnedLibrary())
  })

  it("runs here, or the reason is said", () => {
    if (goPeerMissing !== undefined) assert.match(goPeerMissing, /^Go is not installed$|^go build failed: ./)
  })
})

describeGo("the Go peer as a process", () => {
  goTest("ends in order with its standard input", () =>
    Effect.gen(function*() {
      const go = yield* startGoPeer
      assert.strictEqual(yield* go.end, 0)
    }))
})
