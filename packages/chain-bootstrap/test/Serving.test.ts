// Answers from the store: what is unknown is met with silence, everything is bounded, one peer's slowness is its own.
import { assert, describe, it } from "@effect/vitest"
import { ByteLedger } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { makePeerLink } from "../src/adapter/PeerLink.ts"
import { Serving, type ServingParts } from "../src/adapter/Serving.ts"
import { ChainLimits } from "../src/contract/ChainLimits.ts"
import type { PeerSession } from "../src/contract/ChainProtocol.ts"
import { type ChainStoreService, StoreError } from "../src/contract/ChainStore.ts"
import type { Outgoing, Request } from "../src/contract/PeerMessage.ts"
import { makeSyntheticRules } from "../src/testing/SyntheticChain.ts"
import { chainOf, driven, filledStore, pass, until } from "./AdapterWorld.ts"

const chain = chainOf(20)
const unknown = "ee".repeat(32)
const id = (level: number): string => chain.at(level).header.id

const serverOf = Effect.fnUntraced(function*(store: ChainStoreService, given: Partial<ServingParts> = {}) {
  const ledger = given.ledger ?? new ByteLedger(2 ** 20)
  const serving = new Serving({
    store,
    rules: makeSyntheticRules({
      spacingMillis: { branch: 4_000, head: 4_000, ancestor: 10_000, peers: 60_000, swap: 60_000 }
    }),
    baseHeader: chain.genesis.header,
    pointsToTell: (limit, audience) => [`${audience}:${limit}`],
    ...given,
    ledger
  }, yield* Clock.Clock)
  /** A peer that asks; `send` may keep it waiting. */
  const visitor = Effect.fnUntraced(function*(send: Effect.Effect<void> = Effect.void) {
    const said: Array<Outgoing> = []
    const session: PeerSession = {
      id: "visitor",
      point: undefined,
      ancestors: true,
      send: (messages) => Effect.andThen(send, Effect.sync(() => void said.push(...messages))),
      receive: () => {},
      resume: () => {},
      close: () => {},
      closed: Effect.never
    }
    const link = yield* makePeerLink(1, session, "host")
    yield* Effect.forkChild(serving.serve(link))
    const ask = Effect.fnUntraced(function*(...requests: ReadonlyArray<Request>) {
      for (const request of requests) link.requests.offer(request)
      yield* pass(20)
      return said.splice(0)
    })
    return { ask, link, said }
  })
  return { ledger, visitor }
})

const stored = filledStore(chain, { stored: 15, chosen: 12, applied: 12 })

describe("answers", () => {
  it.effect("tell branch, head, peers, headers and predecessors; silence about what is not there", () =>
    Effect.gen(function*() {
      const { ask } = yield* (yield* serverOf(yield* stored)).visitor()
      const [branch] = yield* ask({ kind: "get-branch" })
      if (branch?.kind !== "branch") return assert.fail("no branch")
      const { head, idAt, lowestLevel } = branch.chain
      assert.deepStrictEqual([head.id, lowestLevel, idAt(7), idAt(0)], [id(12), 0, id(7), id(0)])
      assert.deepStrictEqual(yield* ask({ kind: "get-head" }), [{ kind: "head", header: chain.at(12).header }])
      assert.deepStrictEqual(yield* ask({ kind: "get-peers" }), [{ kind: "peers", points: ["host:50"] }])
      const asked = yield* ask({ kind: "get-headers", ids: [id(3), unknown, id(14), id(0), id(17)] })
      assert.deepStrictEqual(asked.map((reply) => reply.kind === "header" && reply.header.level), [3, 14, 0])
      const of = (level: number, offset: number): Request => ({ kind: "get-ancestor", of: id(level), offset })
      const ancestor: ReadonlyArray<Outgoing> = [{ kind: "ancestor", of: id(9), offset: 4, header: chain.at(5).header }]
      assert.deepStrictEqual<ReadonlyArray<Outgoing>>(yield* ask(of(9, 4)), ancestor)
      yield* pass(10_000)
      assert.deepStrictEqual(yield* ask(of(9, 10)), [])
      yield* pass(10_000)
      assert.deepStrictEqual(yield* ask(of(9, -1)), [])
      yield* pass(10_000)
      assert.deepStrictEqual(yield* ask(of(14, 2)), [])
      yield* pass(10_000)
      assert.strictEqual((yield* ask(of(9, 9))).length, 1)
      assert.deepStrictEqual(yield* ask({ kind: "swap-request", point: "1.2.3.4:5", id: "x" }), [])
    }).pipe(Effect.scoped))

  it.effect("of an empty store are its base, or silence when not even that header is known", () =>
    Effect.gen(function*() {
      const store = yield* filledStore(chain, { stored: 0 })
      const { ask } = yield* (yield* serverOf(store)).visitor()
      assert.deepStrictEqual((yield* ask({ kind: "get-head" })).map(({ kind }) => kind), ["head"])
      const blind = yield* (yield* serverOf(store, { baseHeader: undefined })).visitor()
      assert.deepStrictEqual(yield* blind.ask({ kind: "get-head" }, { kind: "get-branch" }), [])
    }).pipe(Effect.scoped))

  it.effect("bring units with the whole block, within range, no more than a request may name", () =>
    Effect.gen(function*() {
      const { ledger, visitor } = yield* serverOf(yield* stored)
      const { ask } = yield* visitor()
      const items = [
        { block: id(3), unit: 1 },
        { block: id(3), unit: 2 },
        { block: id(3), unit: -1 },
        { block: unknown, unit: 0 },
        { block: id(4), unit: 0 },
        { block: id(0), unit: 0 }
      ]
      const replies = yield* ask({ kind: "get-units", items })
      assert.deepStrictEqual(replies, [
        { kind: "unit", block: id(3), unit: 1, units: chain.at(3).units },
        { kind: "unit", block: id(4), unit: 0, units: chain.at(4).units }
      ])
      const many = Array.from({ length: 14 }, (_, n) => ({ block: id(1 + (n >> 1)), unit: n & 1 }))
      assert.strictEqual((yield* ask({ kind: "get-units", items: many })).length, 10)
      const ids = Array.from({ length: 14 }, (_, n) => id(n + 1))
      assert.strictEqual((yield* ask({ kind: "get-headers", ids })).length, 10)
      assert.isTrue(ledger.used === 0 && ledger.peak > 0)
    }).pipe(Effect.scoped))

  it.effect("leave out blocks of which a unit is missing, and bodies for which there is no memory", () =>
    Effect.gen(function*() {
      const store = yield* stored
      const { header, units } = chain.at(16)
      yield* store.appendHeaders([header])
      yield* store.appendUnits([{ block: header.id, unit: 0, body: units[0]! }])
      const { ledger, visitor } = yield* serverOf(store)
      const { ask } = yield* visitor()
      assert.deepStrictEqual(yield* ask({ kind: "get-units", items: [{ block: header.id, unit: 0 }] }), [])
      assert.isTrue(ledger.tryReserve("others", ledger.free))
      assert.deepStrictEqual(yield* ask({ kind: "get-units", items: [{ block: id(3), unit: 0 }] }), [])
      ledger.release("others", ledger.used)
      assert.strictEqual((yield* ask({ kind: "get-units", items: [{ block: id(3), unit: 0 }] })).length, 1)
    }).pipe(Effect.scoped))

  it.effect("go on after a block that cannot be read", () =>
    Effect.gen(function*() {
      const store = yield* stored
      const broken: ChainStoreService = {
        ...store,
        head: store.head,
        pending: store.pending,
        looseHeaders: 0,
        readUnits: (block) =>
          block === id(3)
            ? Effect.fail(new StoreError({ reason: "damaged", path: "x", message: "bytes that fail their checksum" }))
            : store.readUnits(block)
      }
      const { ask } = yield* (yield* serverOf(broken)).visitor()
      const replies = yield* ask(
        { kind: "get-units", items: [{ block: id(3), unit: 0 }] },
        { kind: "get-units", items: [{ block: id(4), unit: 0 }] }
      )
      assert.deepStrictEqual(replies.map((reply) => reply.kind === "unit" && reply.block), [id(4)])
    }).pipe(Effect.scoped))
})

describe("pace", () => {
  it.effect("kinds that the wire throttles come late, others at once, questions for peers not at all", () =>
    Effect.gen(function*() {
      const { ask, said } = yield* (yield* serverOf(yield* stored)).visitor()
      const twice = yield* ask({ kind: "get-peers" }, { kind: "get-peers" }, { kind: "get-headers", ids: [id(1)] })
      assert.deepStrictEqual(twice.map(({ kind }) => kind), ["peers", "header"])
      assert.deepStrictEqual((yield* ask({ kind: "get-branch" }, { kind: "get-branch" })).length, 1)
      yield* pass(3_900)
      assert.strictEqual(said.length, 0)
      yield* pass(200)
      assert.deepStrictEqual(said.map(({ kind }) => kind), ["branch"])
    }).pipe(Effect.scoped))

  it.effect("a peer that asks faster than it reads loses requests, not we memory; others are served meanwhile", () =>
    Effect.gen(function*() {
      const { ledger, visitor } = yield* serverOf(yield* stored)
      const gate = yield* Deferred.make<void>()
      const slow = yield* visitor(Deferred.await(gate))
      const flood = Array.from(
        { length: 500 },
        (): Request => ({ kind: "get-units", items: [{ block: id(3), unit: 0 }] })
      )
      yield* slow.ask(...flood)
      assert.isAbove(ledger.used, 0)
      const others = yield* Effect.forEach([1, 2, 3, 4, 5], () => visitor())
      for (const { ask } of others) assert.strictEqual((yield* ask(flood[0]!)).length, 1)
      yield* driven(Deferred.succeed(gate, undefined))
      yield* until(() => ledger.used === 0 && slow.said.length > 1)
      assert.isAtMost(slow.said.length, ChainLimits.servedRequestsWaiting + 1)
    }).pipe(Effect.scoped))
})
