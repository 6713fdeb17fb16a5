// Connections by themselves: what flows in and out is bounded, a defect or a peer that does not read ends one connection, a scope ends all.
import { assert, describe, it } from "@effect/vitest"
import { ByteLedger, Memory, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { BodyMemory } from "../src/adapter/BodyMemory.ts"
import { makeInflow } from "../src/adapter/Inflow.ts"
import { makePeerLink, type PeerLink } from "../src/adapter/PeerLink.ts"
import { addressOf, type LinkOwner, PeerLinks } from "../src/adapter/PeerLinks.ts"
import { ChainLimits } from "../src/contract/ChainLimits.ts"
import { ChainProtocol, type PeerSession, type SessionEnd } from "../src/contract/ChainProtocol.ts"
import type { SyncEvent } from "../src/contract/ChainSync.ts"
import type { Answer, Outgoing } from "../src/contract/PeerMessage.ts"
import { honestAnswers, syntheticPeer, syntheticProtocol } from "../src/testing/index.ts"
import { chainOf, driven, peersOf, placeOf, until } from "./AdapterWorld.ts"

interface Fake {
  readonly link: PeerLink
  readonly counts: { resumed: number }
  readonly closings: ReadonlyArray<string>
}

/** A link to nobody: sends never complete, so that what is queued stays. */
const fakeLink = (peer: number, send: PeerSession["send"] = () => Effect.never): Effect.Effect<Fake> =>
  Effect.gen(function*() {
    const closings: Array<string> = []
    const counts = { resumed: 0 }
    const session: PeerSession = {
      id: `peer-${peer}`,
      point: undefined,
      ancestors: true,
      send,
      receive: () => {},
      resume: () => void counts.resumed++,
      close: (reason) => void closings.push(reason),
      closed: Effect.never
    }
    return { link: yield* makePeerLink(peer, session, "host"), counts, closings }
  })

const unitOf = (bytes: number): Answer => ({
  kind: "unit",
  block: "b",
  unit: 0,
  body: new Uint8Array(bytes),
  proof: new Uint8Array(0)
})
const peersAnswer: Answer = { kind: "peers", points: [] }

describe("what a connection brings", () => {
  it.effect("is not read while too many answers of it wait for the engine", () =>
    Effect.gen(function*() {
      const told: Array<SyncEvent> = []
      const inflow = makeInflow({ bodies: new BodyMemory(new ByteLedger(100)), isBehind: () => false }, (event) =>
        told.push(event))
      const { counts, link } = yield* fakeLink(1)
      for (let n = 1; n < ChainLimits.eventsPerPeer; n++) {
        assert.isTrue(inflow.answered(link, peersAnswer))
      }
      assert.isFalse(inflow.answered(link, peersAnswer))
      assert.strictEqual(told.length, ChainLimits.eventsPerPeer)
      for (let n = 1; n < ChainLimits.eventsPerPeer / 2; n++) {
        inflow.taken(link)
      }
      inflow.resume()
      assert.strictEqual(counts.resumed, 0)
      inflow.taken(link)
      inflow.resume()
      inflow.resume()
      assert.strictEqual(counts.resumed, 1)
    }))

  it.effect("is not read while the store is behind", () =>
    Effect.gen(function*() {
      let isBehind = true
      const inflow = makeInflow({ bodies: new BodyMemory(new ByteLedger(100)), isBehind: () => isBehind }, () => {})
      const { counts, link } = yield* fakeLink(1)
      assert.isFalse(inflow.answered(link, peersAnswer))
      inflow.resume()
      assert.strictEqual(counts.resumed, 0)
      isBehind = false
      inflow.resume()
      assert.strictEqual(counts.resumed, 1)
    }))

  it.effect("waits for memory in turn: a large body is not overtaken by small ones", () =>
    Effect.gen(function*() {
      const told: Array<number> = []
      const bodies = new BodyMemory(new ByteLedger(100))
      const inflow = makeInflow({ bodies, isBehind: () => false }, (event) => {
        if (event.kind === "answer") told.push(event.peer)
      })
      const [one, large, small] = [yield* fakeLink(1), yield* fakeLink(2), yield* fakeLink(3)]
      assert.isTrue(inflow.answered(one.link, unitOf(60)))
      assert.isFalse(inflow.answered(large.link, unitOf(90)))
      assert.isFalse(inflow.answered(small.link, unitOf(10)))
      assert.deepStrictEqual([told, inflow.waitsForMemory, bodies.drawn], [[1], true, 60])
      inflow.resume()
      assert.deepStrictEqual(told, [1])
      bodies.giveBack(60)
      inflow.resume()
      assert.deepStrictEqual([told, inflow.waitsForMemory, bodies.drawn], [[1, 2, 3], false, 100])
      assert.deepStrictEqual([large.counts.resumed, small.counts.resumed], [1, 1])
    }))

  it.effect("ends the connection of a body that does not fit any more when the memory was made smaller; the others go on", () =>
    Effect.gen(function*() {
      const told: Array<number> = []
      const ledger = new ByteLedger(100)
      const bodies = new BodyMemory(ledger)
      const inflow = makeInflow({ bodies, isBehind: () => false }, (event) => {
        if (event.kind === "answer") told.push(event.peer)
      })
      const [one, large, small] = [yield* fakeLink(1), yield* fakeLink(2), yield* fakeLink(3)]
      assert.isTrue(inflow.answered(one.link, unitOf(60)))
      assert.isFalse(inflow.answered(large.link, unitOf(90)))
      assert.isFalse(inflow.answered(small.link, unitOf(10)))
      ledger.resize(80)
      inflow.resume()
      assert.match(large.closings.join(), /a body of 90 bytes is larger than all the memory/)
      assert.deepStrictEqual([told, small.closings, inflow.waitsForMemory], [[1, 3], [], false])
      ledger.resize(50)
      assert.isFalse(inflow.answered(small.link, unitOf(10)))
      bodies.giveBack(60)
      inflow.resume()
      assert.deepStrictEqual([told, inflow.waitsForMemory, bodies.drawn], [[1, 3, 3], false, 20])
    }))

  it.effect("is forgotten with the connection", () =>
    Effect.gen(function*() {
      const told: Array<SyncEvent> = []
      const bodies = new BodyMemory(new ByteLedger(100))
      const inflow = makeInflow({ bodies, isBehind: () => false }, (event) => told.push(event))
      assert.isTrue(bodies.tryDraw(80))
      const { counts, link } = yield* fakeLink(1)
      assert.isFalse(inflow.answered(link, unitOf(30)))
      inflow.forget(link)
      bodies.giveBack(80)
      inflow.resume()
      assert.deepStrictEqual([told.length, counts.resumed, inflow.waitsForMemory, bodies.drawn], [0, 0, false, 0])
    }))
})

describe("what goes out", () => {
  it.effect("is bounded: a peer that does not read is left, and is sent no news before", () =>
    Effect.gen(function*() {
      const { closings, link } = yield* fakeLink(1)
      const message: Outgoing = { kind: "get-peers" }
      assert.isTrue(link.keepsUp)
      link.send(Array.from({ length: 64 }, () => message))
      assert.isFalse(link.keepsUp)
      link.send(Array.from({ length: ChainLimits.outboxMessages - 64 }, () => message))
      assert.deepStrictEqual(closings, [])
      link.send([message, message])
      assert.strictEqual(closings.length, 1)
      assert.match(closings[0]!, /does not read: 256 messages/)
    }))
})

const linksOf = Effect.fnUntraced(function*(given: Partial<LinkOwner> = {}) {
  const events: Array<SyncEvent> = []
  const scope = yield* Scope.fork(yield* Effect.scope)
  const links = new PeerLinks({
    tell: (event) => events.push(event),
    admits: () => undefined,
    serve: () => Effect.never,
    inflow: undefined,
    ...given
  }, scope)
  const count = (kind: SyncEvent["kind"]) => events.filter((event) => event.kind === kind).length
  return { count, events, links, scope }
})

const withProtocol = Effect.provideService(ChainProtocol, syntheticProtocol({ id: "us" }))

describe("links", () => {
  it("read points", () => {
    assert.deepStrictEqual(addressOf("10.0.0.1:9732"), { host: "10.0.0.1", port: 9732 })
    assert.deepStrictEqual(addressOf("[2001:db8::1]:80"), { host: "2001:db8::1", port: 80 })
  })

  it.effect("tell each connection's begin and end once, also when they are interrupted, and drop what nobody asked for", () =>
    Effect.gen(function*() {
      const chain = chainOf(5)
      const peers = yield* peersOf(chain, 2)
      const { count, events, links, scope } = yield* linksOf()
      for (const { point } of peers) yield* withProtocol(links.dial(point))
      yield* until(() => count("connected") === 2)
      const [session] = [...peers[0]!.sessions]
      const { header, units } = chain.at(1)
      yield* session!.send([{ kind: "unit", block: header.id, unit: 0, units }, { kind: "head", header }])
      session!.close("enough")
      yield* until(() => count("closed") === 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(count("closed"), 2)
      assert.strictEqual(count("answer"), 0)
      const ends = events.flatMap((event) => event.kind === "closed" ? [[event.peer, event.expected]] : [])
      assert.deepStrictEqual(ends, [[1, true], [2, true]])
      assert.deepStrictEqual([...links.all()], [])
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("end one connection by a defect of what serves it, and tell a dial that dies", () =>
    Effect.gen(function*() {
      const peers = yield* peersOf(chainOf(5), 2)
      const { count, events, links } = yield* linksOf({
        serve: (link) => link.session.id === "peer-1" ? Effect.die(new Error("thrown in the dark")) : Effect.never
      })
      for (const { point } of peers) yield* withProtocol(links.dial(point))
      yield* until(() => count("connected") === 2 && count("closed") === 1)
      assert.strictEqual([...links.all()].length, 1)
      const broken = { ...syntheticProtocol({ id: "us" }), open: () => Effect.die(new Error("thrown in the dark")) }
      yield* Effect.provideService(links.dial(peers[0]!.point), ChainProtocol, broken)
      yield* until(() => count("attempt-failed") === 1)
      const failed = events.find((event) => event.kind === "attempt-failed")
      assert.deepInclude(failed, { point: peers[0]!.point, cause: "local-fault" })
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  const endings: ReadonlyArray<readonly [SessionEnd["kind"], boolean, boolean]> = [
    ["farewell", false, true],
    ["local", false, true],
    ["end", false, false],
    ["error", false, false],
    ["malformed", true, false]
  ]
  it.effect("tell what kind of end it was", () =>
    Effect.gen(function*() {
      const peer = yield* syntheticPeer({ id: "peer" }, placeOf(1), honestAnswers(chainOf(5)))
      for (const [kind, malformed, expected] of endings) {
        const { events, links } = yield* linksOf()
        const inner = syntheticProtocol({ id: "us" })
        const protocol: ChainProtocol["Service"] = {
          ...inner,
          open: (connection, options) =>
            Effect.map(inner.open(connection, options), (session): PeerSession => ({
              id: session.id,
              point: session.point,
              ancestors: true,
              send: () => Effect.void,
              receive: () => {},
              resume: () => {},
              close: () => {},
              closed: Effect.succeed({ kind, message: "so it ended" })
            }))
        }
        yield* Effect.provideService(links.dial(peer.point), ChainProtocol, protocol)
        yield* until(() => events.length === 2)
        assert.deepInclude(events[1], { kind: "closed", malformed, expected, message: "so it ended" })
      }
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("cut off who does not take a farewell in time", () =>
    Effect.gen(function*() {
      const peer = yield* syntheticPeer({ id: "peer" }, placeOf(1), honestAnswers(chainOf(5)))
      const { count, links } = yield* linksOf()
      const inner = syntheticProtocol({ id: "us" })
      const closes = yield* Deferred.make<void>()
      const stubborn: ChainProtocol["Service"] = {
        ...inner,
        open: (connection, options) =>
          Effect.map(inner.open(connection, options), (session) => {
            session.close = () => void Deferred.doneUnsafe(closes, Effect.void)
            return session
          })
      }
      yield* Effect.provideService(links.dial(peer.point), ChainProtocol, stubborn)
      yield* until(() => count("connected") === 1)
      const closing = yield* Effect.forkChild(links.closeAll("we stop"))
      yield* Deferred.await(closes)
      yield* driven(Effect.sleep(ChainLimits.farewellMillis - 100))
      assert.isUndefined(closing.pollUnsafe())
      yield* driven(Effect.sleep(200))
      assert.isDefined(closing.pollUnsafe())
      yield* until(() => peer.sessions.size === 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("of a place that nobody listens on fail as a dial", () =>
    Effect.gen(function*() {
      const { events, links } = yield* linksOf()
      yield* withProtocol(links.dial("10.0.0.99:1"))
      yield* until(() => events.length === 1)
      assert.deepInclude(events[0], {
        kind: "attempt-failed",
        point: "10.0.0.99:1",
        cause: "dial-failed",
        id: undefined
      })
      assert.isDefined(yield* Transport)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
