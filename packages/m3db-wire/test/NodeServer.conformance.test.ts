// The kit of node servers: ours passes, every mutant is rejected, for its reason.
import { assert, describe, it } from "@effect/vitest"
import { mutantSuiteOf, turns } from "@peerstrap/conformance"
import { Memory } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import {
  CheckedNode,
  checkNodeServer,
  nodeLayer,
  nodeServerKit,
  nodeServerSuite,
  startReplica
} from "../src/testing/index.ts"

const ours = (behaviours: string) =>
  Layer.provideMerge(
    nodeLayer((data) => Effect.map(startReplica({ data, behaviours }), ({ address }) => address), { unmerged: true }),
    Memory.layer
  )

describe("node servers keep the protocol:", () => {
  nodeServerSuite("ours,", ours(""), { capabilities: { hostile: true }, test: it })
  nodeServerSuite("ours in small frames,", ours("frame-size:90"), { capabilities: { hostile: true }, test: it })
  const { leftOut } = nodeServerSuite("one that must not crash,", ours(""), {
    capabilities: { hostile: false },
    test: it
  })

  it("only what is hostile is left out for a node that must not crash", () => {
    assert.isNotEmpty(leftOut)
    assert.isTrue(leftOut.every(({ lacks }) => lacks === "hostile"))
  })
})

const mutant = (name: string) => nodeServerKit.mutants.find((one) => one.name === name)!

describe("checkNodeServer", () => {
  it.effect("tells what a node gets wrong", () =>
    Effect.gen(function*() {
      const findings = yield* checkNodeServer(yield* CheckedNode, { only: "ping" })
      assert.deepStrictEqual(findings.map(({ timedOut }) => timedOut), [false])
      assert.include(findings[0]!.message, "ping 7 answered by type d1, id 8")
    }).pipe(Effect.provide(mutant("ping under another id").layer)))

  it.effect("gives up a check of a node that falls silent", () =>
    Effect.gen(function*() {
      const checking = yield* Effect.forkChild(
        checkNodeServer(yield* CheckedNode, { only: "health", timeoutMillis: 200 })
      )
      yield* turns(200)
      yield* TestClock.adjust(200)
      const findings = yield* Fiber.join(checking)
      assert.deepStrictEqual(findings.map(({ message, timedOut }) => [message, timedOut]), [[
        "no end within 200 ms",
        true
      ]])
    }).pipe(Effect.provide(mutant("the last frame says that more follows").layer)))
})

// One after the other: all checks of sixty mutants at once would make each of them last as long as all.
describe("the kit of node servers", { concurrent: false }, () => mutantSuiteOf(nodeServerKit, it))
