// Misbehaviours over time and bytes, and what a replica records. Virtual time, the memory transport, raw bytes.
import { assert, describe, it } from "@effect/vitest"
import { Memory, type Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import {
  type NodeFacts,
  type ScriptedReplica,
  type ScriptedReplicaOptions,
  SeededReplica,
  seededSpec,
  startReplica
} from "../src/testing/index.ts"
import {
  blocks,
  blocksArg3,
  blocksMethod,
  emptyArg3,
  keyOf,
  listing,
  listingArg3,
  listingMethod,
  page
} from "../src/testing/KitCalls.ts"
import { callFrames } from "../src/testing/RawFrames.ts"
import { connectRaw, connectReady, type RawPeer } from "../src/testing/RawPeer.ts"

const spec = seededSpec({ series: 40, numShards: 2, blocks: 2, points: 20, tags: 2 })
const data = new SeededReplica(spec)

const start = Effect.fnUntraced(function*(behaviours: string, options: Partial<ScriptedReplicaOptions> = {}) {
  const replica = yield* startReplica({ data, behaviours, ...options })
  const facts: NodeFacts = {
    address: replica.address,
    namespace: spec.namespace,
    numShards: spec.numShards,
    hashSeed: spec.hashSeed,
    shard: 1,
    otherShard: 0,
    unownedShard: 5,
    rangeStart: spec.start,
    rangeEnd: data.end,
    blockSize: spec.blockSize
  }
  return { facts, replica }
})

const scripted = <A, E>(
  name: string,
  behaviours: string,
  run: (peer: RawPeer, facts: NodeFacts, replica: ScriptedReplica) => Effect.Effect<A, E, Transport | Scope.Scope>
) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      const { facts, replica } = yield* start(behaviours)
      const peer = yield* connectReady(facts.address)
      yield* run(peer, facts, replica)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

const first = (facts: NodeFacts) => ({ arg1: listingMethod, arg3: listingArg3(facts, {}) })

/** Forks a call, and tells at each step whether it has ended. */
const timed = Effect.fnUntraced(function*<A, E>(call: Effect.Effect<A, E>, millis: ReadonlyArray<number>) {
  const fiber = yield* Effect.forkChild(call)
  const ended: Array<boolean> = []
  for (const step of millis) {
    yield* TestClock.adjust(step)
    ended.push(fiber.pollUnsafe() !== undefined)
  }
  return { ended, fiber }
})

describe("behaviours over time", () => {
  scripted(
    "delay waits before each data answer and not before health",
    "delay:250",
    (peer, facts) =>
      Effect.gen(function*() {
        yield* peer.answered({ arg1: "Node::health", arg3: emptyArg3 })
        const { ended } = yield* timed(peer.answered(first(facts)), [249, 1])
        assert.deepStrictEqual(ended, [false, true])
      })
  )

  scripted("slow paces the bytes of a connection", "", (peer, facts, replica) =>
    Effect.gen(function*() {
      replica.setBehaviours("slow:1000")
      const before = replica.stats().sentBytes
      const fiber = yield* Effect.forkChild(listing(peer, facts, {}))
      for (let step = 0; step < 40; step++) yield* TestClock.adjust(50)
      const paced = replica.stats().sentBytes - before
      assert.isAtLeast(paced, 1_800)
      assert.isAtMost(paced, 2_200)
      assert.isUndefined(fiber.pollUnsafe())
      replica.setBehaviours("")
      yield* TestClock.adjust(60_000)
      assert.isAtLeast((yield* Fiber.join(fiber)).length, 2)
    }))

  scripted(
    "drip writes byte by byte and loses none",
    "drip",
    (peer, facts) => Effect.map(page(peer, facts, {}), ({ token }) => assert.isDefined(token))
  )

  scripted("drip waits between bytes", "", (peer, facts, replica) =>
    Effect.gen(function*() {
      replica.setBehaviours("drip:2")
      const before = replica.stats().sentBytes
      yield* Effect.forkChild(Effect.ignore(page(peer, facts, {})))
      yield* TestClock.adjust(19)
      assert.strictEqual(replica.stats().sentBytes - before, 10)
    }))

  scripted(
    "hang answers nothing to its method, everything else",
    "hang:fetchBlocksMetadataRawV2",
    (peer, facts, replica) =>
      Effect.gen(function*() {
        const { ended } = yield* timed(peer.answered(first(facts)), [100_000])
        assert.deepStrictEqual(ended, [false])
        const other = yield* connectReady(facts.address)
        assert.isEmpty(yield* blocks(other, facts, { elements: [] }))
        assert.strictEqual(replica.stats().callsInFlight, 0)
        assert.isUndefined(replica.stats().requests[0]?.outcome)
      })
  )

  scripted("not-bootstrapped ends after its time", "not-bootstrapped:3", (peer, facts) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* peer.answered(first(facts))).answer.code, 1)
      yield* TestClock.adjust(3_000)
      assert.strictEqual((yield* peer.answered(first(facts))).answer.code, 0)
    }))

  scripted("rate-limit refuses only what is above it", "rate-limit:2", (peer, facts) =>
    Effect.gen(function*() {
      const codes = yield* Effect.forEach([1, 2, 3], () =>
        Effect.map(peer.answered(first(facts)), ({ answer }) => answer.code))
      assert.deepStrictEqual(codes, [0, 0, 1])
      yield* TestClock.adjust(1_000)
      assert.strictEqual((yield* peer.answered(first(facts))).answer.code, 0)
    }))

  scripted("error:KIND:EVERY fails every n-th call", "error:declined:2", (peer, facts) =>
    Effect.gen(function*() {
      const replies = yield* Effect.forEach([1, 2, 3, 4], () => peer.call(first(facts)))
      assert.deepStrictEqual(replies.map((reply) => reply.kind === "error" ? reply.error.code : 0), [0, 4, 0, 4])
    }))

  scripted("error:fatal closes the connection", "error:fatal", (peer, facts) =>
    Effect.gen(function*() {
      const reply = yield* peer.call(first(facts))
      assert.strictEqual(reply.kind === "error" ? reply.error.code : 0, 0xff)
      yield* peer.ended
    }))
})

describe("behaviours of connections", () => {
  it.effect("half-open goes silent after its bytes and stays open", () =>
    Effect.gen(function*() {
      const { facts, replica } = yield* start("half-open:150")
      const peer = yield* connectReady(facts.address)
      const { ended } = yield* timed(listing(peer, facts, {}), [1_000_000])
      assert.deepStrictEqual(ended, [false])
      assert.strictEqual(replica.stats().sentBytes, 150)
      assert.strictEqual(replica.stats().openConnections, 1)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("cut closes each connection after its bytes, the next one begins anew", () =>
    Effect.gen(function*() {
      const { facts, replica } = yield* start("cut:150")
      for (const connections of [1, 2]) {
        const peer = yield* connectReady(facts.address)
        const error = yield* Effect.flip(listing(peer, facts, {}))
        assert.include(error.message, "closed the connection")
        assert.strictEqual(replica.stats().sentBytes, 150 * connections)
        assert.strictEqual(replica.stats().connections, connections)
      }
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("half-open:0 accepts and says nothing, not even to the handshake", () =>
    Effect.gen(function*() {
      const { facts, replica } = yield* start("half-open:0")
      yield* Effect.forkChild(Effect.ignore(connectReady(facts.address)))
      yield* TestClock.adjust(60_000)
      assert.strictEqual(replica.stats().sentBytes, 0)
      assert.strictEqual(replica.stats().openConnections, 1)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("die-after stops the replica in the middle of an answer", () =>
    Effect.gen(function*() {
      const { facts } = yield* start("die-after:2")
      const peer = yield* connectReady(facts.address)
      yield* peer.answered(first(facts))
      const error = yield* Effect.flip(peer.answered(first(facts)))
      assert.include(error.message, "closed the connection")
      yield* Effect.yieldNow
      const refused = yield* Effect.flip(connectRaw(facts.address))
      assert.include(refused.message, "nothing listens")
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("die-after leaves the end to onDeath when given", () =>
    Effect.gen(function*() {
      let deaths = 0
      const { facts } = yield* start("die-after:1", { onDeath: () => void deaths++ })
      const peer = yield* connectReady(facts.address)
      yield* Effect.flip(peer.answered(first(facts)))
      yield* connectReady(facts.address)
      assert.strictEqual(deaths, 1)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("dropConnections closes all, stop also refuses new ones", () =>
    Effect.gen(function*() {
      const { facts, replica } = yield* start("")
      const peers = [yield* connectReady(facts.address), yield* connectReady(facts.address)]
      replica.dropConnections()
      for (const peer of peers) yield* peer.ended
      const again = yield* connectReady(facts.address)
      yield* replica.stop
      yield* again.ended
      yield* Effect.flip(connectRaw(facts.address))
      assert.strictEqual(replica.stats().openConnections, 0)
      assert.strictEqual(replica.stats().maxOpenConnections, 2)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})

const setOf = (
  pages: ReadonlyArray<{ readonly elements: ReadonlyArray<{ readonly id: Uint8Array; readonly start: bigint }> }>
) => new Set(pages.flatMap(({ elements }) => elements.map(({ id, start }) => keyOf(id, start))))

describe("behaviours of pages", () => {
  const listings = Effect.fnUntraced(function*(behaviours: string) {
    const { facts, replica } = yield* start("")
    const peer = yield* connectReady(facts.address)
    const healthy = yield* listing(peer, facts, { limit: 7n })
    replica.setBehaviours(behaviours)
    return { healthy, misbehaved: yield* listing(peer, facts, { limit: 7n }) }
  })

  it.effect("empty-pages come before each disk page, with new tokens", () =>
    Effect.gen(function*() {
      const { healthy, misbehaved } = yield* listings("empty-pages:2")
      assert.deepStrictEqual(setOf(misbehaved), setOf(healthy))
      const empty = misbehaved.filter(({ elements, inMemory }) => elements.length === 0 && !inMemory).length
      assert.strictEqual(empty, 2 * healthy.filter(({ inMemory }) => !inMemory).length)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("token-reset begins the disk phase again, once", () =>
    Effect.gen(function*() {
      const { healthy, misbehaved } = yield* listings("token-reset")
      assert.deepStrictEqual(setOf(misbehaved), setOf(healthy))
      assert.strictEqual(misbehaved.length, healthy.length + 1)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("reorder:meta changes the order alone", () =>
    Effect.gen(function*() {
      const { healthy, misbehaved } = yield* listings("reorder:meta")
      const order = (pages: typeof healthy) =>
        pages.flatMap(({ elements }) => elements.map(({ id, start }) => keyOf(id, start)))
      assert.deepStrictEqual(setOf(misbehaved), setOf(healthy))
      assert.notDeepEqual(order(misbehaved), order(healthy))
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("empty-pages:0 never ends and makes no progress", () =>
    Effect.gen(function*() {
      const { facts } = yield* start("empty-pages:0")
      const peer = yield* connectReady(facts.address)
      const error = yield* Effect.flip(listing(peer, facts, {}))
      assert.include(error.message, "without end")
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})

describe("the record", () => {
  it.effect("tells what was asked, in which order, and how much was in flight", () =>
    Effect.gen(function*() {
      const { facts, replica } = yield* start("", { recordIds: true })
      const peer = yield* connectReady(facts.address)
      const pages = yield* listing(peer, facts, { limit: 7n })
      const ids = pages[1]!.elements.map(({ id }) => id)
      const elements = ids.map((id) => ({ id, starts: [spec.start] }))
      replica.setBehaviours("delay:100")
      const other = yield* connectReady(facts.address)
      yield* peer.send(...callFrames({ id: 700, arg1: blocksMethod, arg3: blocksArg3(facts, { elements }) }))
      const second = yield* Effect.forkChild(blocks(other, facts, { elements: elements.slice(0, 2) }))
      yield* TestClock.adjust(50)
      assert.strictEqual(replica.stats().callsInFlight, 2)
      yield* TestClock.adjust(50)
      yield* Fiber.join(second)
      yield* peer.reply(700)
      const stats = replica.stats()
      const { requests } = stats
      assert.strictEqual(stats.listings, pages.length)
      assert.strictEqual(stats.blockRequests, 2)
      assert.strictEqual(stats.maxBlockRequestsInFlight, 2)
      assert.strictEqual(stats.callsInFlight, 0)
      assert.strictEqual(stats.connections, 2)
      assert.isUndefined(requests[0]!.pageToken)
      assert.isDefined(requests[1]!.pageToken)
      assert.strictEqual(requests[0]!.rangeStart, spec.start)
      assert.isTrue(requests.every(({ arrivedAt, endedAt, outcome }) => endedAt! > arrivedAt && outcome === "ok"))
      const [one, two] = requests.slice(-2) as [typeof requests[number], typeof requests[number]]
      assert.isAbove(one.endedAt!, two.arrivedAt)
      assert.deepStrictEqual(
        one.ids?.map((id) => Buffer.from(id).toString()),
        ids.map((id) => Buffer.from(id).toString())
      )
      assert.strictEqual(two.items, 2)
      assert.strictEqual(two.shard, 1)
      replica.clearRecord()
      assert.isEmpty(replica.stats().requests)
      assert.strictEqual(replica.stats().maxCallsInFlight, 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("counts bytes both ways and rejected frames", () =>
    Effect.gen(function*() {
      const { facts, replica } = yield* start("")
      const peer = yield* connectReady(facts.address)
      const before = replica.stats()
      const frames = callFrames({ id: 5, arg1: "Node::nope", arg3: emptyArg3 })
      yield* peer.send(...frames)
      yield* peer.reply(5)
      const after = replica.stats()
      assert.strictEqual(after.receivedBytes - before.receivedBytes, frames[0]!.length)
      assert.strictEqual(
        after.sentBytes - before.sentBytes,
        16 + 28 + "no handler for service \"Node\" and method \"Node::nope\"".length
      )
      assert.strictEqual(after.rejected - before.rejected, 1)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
