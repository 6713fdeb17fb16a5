/** What goes over a connection, whoever is on the other side: how much, how often, in both directions (1.10, 5.12.12). */
import { assert, describe, it } from "@effect/vitest"
import { ByteLedger } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { makeRequestQueue } from "../../src/adapter/RequestQueue.ts"
import { Serving } from "../../src/adapter/Serving.ts"
import * as MemoryChainStore from "../../src/adapter/store/MemoryChainStore.ts"
import type { Outgoing, Request } from "../../src/contract/PeerMessage.ts"
import { defaultScoreTable } from "../../src/engine/standing/ScoreTables.ts"
import { makeSyntheticChain, makeSyntheticRules } from "../../src/testing/SyntheticChain.ts"
import { World } from "./driver.ts"

const spacingMillis = { branch: 5_000, head: 5_000, ancestor: 11_000, peers: 60_000, swap: 65_000 }

/** A store with twenty applied blocks, and a peer that asks. */
const served = (requests: ReadonlyArray<Request>, forMillis: number) =>
  Effect.gen(function*() {
    const chain = makeSyntheticChain({ seed: 5, levels: 20 })
    const rules = makeSyntheticRules({ spacingMillis })
    const identity = { protocol: "synthetic", chainId: "test", base: chain.base }
    const store = yield* MemoryChainStore.open({ identity })
    const blocks = chain.main.slice(1)
    yield* store.appendHeaders(blocks.map(({ header }) => header))
    yield* store.appendUnits(
      blocks.flatMap(({ header, units }) => units.map((body, unit) => ({ block: header.id, unit, body })))
    )
    yield* store.appendApplied({ kind: "apply", ids: chain.ids(1, 20), firstLevel: 1 })
    const clock = yield* Clock.Clock
    const queue = yield* makeRequestQueue
    const sent: Array<{ readonly atMillis: number; readonly message: Outgoing }> = []
    const link = {
      host: "10.0.0.9",
      requests: queue,
      session: {
        send: (messages: ReadonlyArray<Outgoing>) =>
          Effect.sync(() => {
            for (const message of messages) sent.push({ atMillis: clock.currentTimeMillisUnsafe(), message })
          })
      }
    } as unknown as Parameters<Serving["serve"]>[0]
    const ledger = new ByteLedger(64 << 20)
    const parts = { store, rules, baseHeader: chain.genesis.header, ledger, pointsToTell: () => ["10.0.0.2:9732"] }
    const serving = new Serving(parts, clock)
    const fiber = yield* Effect.forkChild(serving.serve(link))
    for (const request of requests) queue.offer(request)
    for (let at = 0; at < forMillis; at += 500) yield* TestClock.adjust(500)
    yield* Fiber.interrupt(fiber)
    return { chain, sent }
  })

describe("what we ask", () => {
  it("5.12.12: one GetCurrentBranch in 4 s, one Bootstrap in 60 s, one SwapRequest in 60 s to a connection, at most", () => {
    const world = new World({
      levels: 200,
      connections: { minPeers: 4, maxPeers: 20 },
      rules: { spacingMillis },
      sync: { until: undefined }
    })
    // Everybody gives reasons to ask again: silent ones, and new branches.
    world.peers[3]!.silentOn.add("get-branch")
    for (let times = 0; times < 40; times++) {
      const top = world.chain.growMain(1).at(-1)!.header
      for (const peer of world.peers) world.say(peer, { kind: "head", header: top })
      world.runFor(6000)
    }
    world.runFor(60_000)
    const least = { "get-branch": 4000, "get-head": 4000, "get-peers": 60_000, "swap-request": 60_000 }
    for (const [kind, millis] of Object.entries(least) as Array<[keyof typeof least, number]>) {
      assert.isAbove(world.asked(kind).length, 1, kind)
      for (const peer of world.peers) {
        const times = world.asked(kind, peer).map(({ atMillis }) => atMillis)
        times.slice(1).forEach((at, index) => assert.isAtLeast(at - times[index]!, millis, `${kind} to ${peer.id}`))
      }
    }
  })

  it("5.12.12: at most ten items a request, each once", () => {
    const world = new World({ levels: 400, sync: { headerPolicy: "all" } }).run()
    const sizes = [
      ...world.asked("get-headers").map(({ request }) => request.ids.length),
      ...world.asked("get-units").map(({ request }) => request.items.length)
    ]
    assert.strictEqual(Math.max(...sizes), 10)
    assert.isAtLeast(Math.min(...sizes), 1)
  })

  it("5.7.2: at most two header messages and two for operations at a time, four for a peer of good score", () => {
    for (const [penalties, most] of [[0, 4], [2, 2]] as const) {
      const scores = { ...defaultScoreTable, credits: { branch: 0, head: 0, header: 0, unit: 0 } }
      const world = new World({ levels: 600, scores, connections: { maxPeers: 4, hungryMargin: 0 } })
      for (const peer of world.peers) peer.silentOn.add("get-units")
      world.run(() => world.snapshot.peers.length === 4)
      const nothing = new Uint8Array()
      const peer = world.peers[0]!
      for (let unit = 0; unit < penalties; unit++) {
        world.say(peer, { kind: "unit", block: "00", unit, body: nothing, proof: nothing })
      }
      world.runFor(1000)
      assert.strictEqual(world.asked("get-units", peer).length, most)
    }
  })
})

describe("what we answer", () => {
  it.effect("1.10, 5.12.12: one CurrentBranch in 4 s and one PredecessorHeader in 10 s on a connection, however often it asks", () =>
    Effect.gen(function*() {
      const { chain } = yield* served([], 0)
      const of = chain.at(20).header.id
      const requests = Array.from({ length: 4 }, (_, at): ReadonlyArray<Request> => [
        { kind: "get-branch" },
        { kind: "get-ancestor", of, offset: at + 1 }
      ])
      const { sent } = yield* served(requests.flat(), 60_000)
      for (const [kind, least] of [["branch", 4000], ["ancestor", 10_000]] as const) {
        const times = sent.filter(({ message }) => message.kind === kind).map(({ atMillis }) => atMillis)
        assert.strictEqual(times.length, 4, kind)
        times.slice(1).forEach((at, index) => assert.isAtLeast(at - times[index]!, least, kind))
      }
    }))

  it.effect("R92, 5.11: the header so many blocks below one of our chain; silence about any other", () =>
    Effect.gen(function*() {
      const { chain } = yield* served([], 0)
      const of = chain.at(20).header.id
      const { sent } = yield* served([
        { kind: "get-ancestor", of, offset: 8 },
        { kind: "get-ancestor", of: "ab".repeat(32), offset: 1 },
        { kind: "get-ancestor", of, offset: 21 }
      ], 60_000)
      const headers = sent.flatMap(({ message }) => message.kind === "ancestor" ? message.header.level : [])
      assert.deepStrictEqual(headers, [12])
    }))

  it.effect("1.9: ten items a request are answered, no more; what is unknown is met with silence", () =>
    Effect.gen(function*() {
      const { chain } = yield* served([], 0)
      const ids = ["ab".repeat(32), ...chain.ids(1, 20)]
      const { sent } = yield* served([{ kind: "get-headers", ids }], 1000)
      assert.strictEqual(sent.length, 9)
      const items = ids.map((block) => ({ block, unit: 0 }))
      const bodies = yield* served(
        [{ kind: "get-units", items: [...items.slice(0, 5), { block: ids[2]!, unit: 7 }] }],
        1000
      )
      assert.strictEqual(bodies.sent.length, 4)
    }))
})
