// A run and its peers: dials that fail, handshakes that come to nothing, peers that leave or lie, those that come to us, and what we tell them.
import { assert, describe, it } from "@effect/vitest"
import { Memory, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { addressOf } from "../src/adapter/PeerLinks.ts"
import type { SyncRun } from "../src/contract/SyncRun.ts"
import { connectionOptions } from "../src/engine/connections/ConnectionDefaults.ts"
import {
  type Answering,
  honestAnswers,
  type SyntheticPeer,
  syntheticPeer,
  syntheticProtocol,
  type SyntheticSession
} from "../src/testing/index.ts"
import { atHeadOf, chainOf, driven, pass, peersOf, placeOf, pointsOf, startRun, until } from "./AdapterWorld.ts"

const knownOf = (run: SyncRun, point: string) => run.snapshot().known.find((known) => known.point === point)

/** A place where something listens that is no peer. */
const oddPlace = (number: number, says: ReadonlyArray<Uint8Array>) =>
  Effect.gen(function*() {
    const transport = yield* Transport
    yield* transport.listen(placeOf(number), (connection) =>
      Effect.andThen(
        Effect.ignore(connection.write(says)),
        says.length === 0 ? Effect.void : Effect.asVoid(connection.closed)
      ))
    return `10.0.0.${number}:1`
  })

/** Says what is no header. */
const garbage: Answering = (request, session) => {
  if (request.kind === "get-branch") session.shout([{ kind: "header", header: "beef" }])
  return []
}

const only = ({ sessions }: SyntheticPeer): SyntheticSession => [...sessions][0]!

describe("peers of a run", () => {
  it.effect("that cannot be dialled, close in the handshake, or talk nonsense keep nobody from the head", () =>
    Effect.gen(function*() {
      const chain = chainOf(30)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const nobody = "10.0.0.9:1"
      const closing = yield* oddPlace(7, [])
      const nonsense = yield* oddPlace(8, [new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")])
      const { run } = yield* startRun({ chain, named: [nobody, closing, nonsense, ...pointsOf(peers)] })
      assert.strictEqual((yield* driven(run.done))?.outcome, "level-reached")
      assert.strictEqual(knownOf(run, nonsense)?.status, "greylisted")
      for (const point of [nobody, closing]) {
        assert.notStrictEqual(knownOf(run, point)?.status, "greylisted")
        assert.isAbove(knownOf(run, point)?.restUntilMillis ?? 0, 0)
      }
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("that send what no correct node sends are greylisted with the proof", () =>
    Effect.gen(function*() {
      const chain = chainOf(30)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 5, (number) => number === 1 ? garbage : undefined)
      const { notices, run } = yield* startRun({ chain, named: pointsOf(peers) })
      assert.strictEqual((yield* driven(run.done))?.outcome, "level-reached")
      assert.strictEqual(knownOf(run, peers[0]!.point)?.status, "greylisted")
      const proof = notices.flatMap((notice) => notice.kind === "blamed" ? [notice.record] : [])
      assert.deepStrictEqual(proof.map(({ kind }) => kind), ["malformed"])
      assert.match(JSON.stringify(proof), /113 bytes, not 2/)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("that say farewell rest and are not counted; those that just break off are reconnected and counted", () =>
    Effect.gen(function*() {
      const chain = chainOf(30)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 6)
      const { run } = yield* startRun({ chain, named: pointsOf(peers), sync: { until: undefined, peers: 6 } })
      const [polite, broken] = [peers[0]!, peers[1]!]
      const isUp = (point: string) => run.snapshot().peers.some((peer) => peer.point === point)
      yield* until(() => peers.every(({ point }) => isUp(point)))
      only(polite).close("maintenance")
      only(broken).break("killed")
      yield* until(() => !isUp(polite.point) && !isUp(broken.point))
      yield* until(() => isUp(broken.point))
      assert.strictEqual(knownOf(run, broken.point)?.reconnects, 1)
      assert.isFalse(isUp(polite.point))
      yield* pass(50_000)
      assert.isFalse(isUp(polite.point))
      assert.strictEqual(knownOf(run, polite.point)?.reconnects, 0)
      yield* until(() => isUp(polite.point))
      assert.strictEqual(knownOf(run, polite.point)?.reconnects, 0)
      yield* driven(run.stop)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("that come to us count, are served, are told our heads, and get a place only once", () =>
    Effect.gen(function*() {
      const chain = chainOf(20)
      const later = chain.head.header.level + 3
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const { run, store } = yield* startRun({
        chain,
        named: pointsOf(peers),
        sync: { until: undefined, connections: connectionOptions({ minPeers: 4, maxPeers: 6, maxIncoming: 1 }) },
        run: { listen: { host: "10.0.0.100", port: 1 } }
      })
      yield* until(() => store.head.level === 20)
      const transport = yield* Transport
      const visit = Effect.fnUntraced(function*(id: string) {
        const connection = yield* transport.dial(addressOf(run.listening!))
        const opening = { side: "outgoing", dialled: run.listening, accept: () => undefined } as const
        return yield* syntheticProtocol({ id }).open(connection, opening)
      })
      const visitor = yield* driven(visit("visitor"))
      const heard: Array<number> = []
      const branched = yield* Deferred.make<void>()
      visitor.receive((message) => {
        if (message.kind === "branch") Deferred.doneUnsafe(branched, Effect.void)
        if (message.kind === "head") heard.push(message.header.level)
        return true
      })
      assert.strictEqual((yield* driven(Effect.flip(visit("visitor")))).message, "already-connected")
      assert.strictEqual((yield* driven(Effect.flip(visit("another")))).message, "too-many")
      assert.strictEqual((yield* driven(Effect.flip(visit("us")))).reason, "self")
      yield* visitor.send([{ kind: "get-branch" }])
      yield* driven(Deferred.await(branched))
      yield* until(() => run.snapshot().status === "synced")
      chain.growMain(3)
      yield* atHeadOf(chain)
      for (const peer of peers) {
        for (const session of peer.sessions) yield* session.send([{ kind: "head", header: chain.head.header }])
      }
      yield* until(() => store.head.level === later && heard.includes(later))
      // Those that never asked for our branch do not listen to our heads; those that do hear each once.
      assert.strictEqual(new Set(heard).size, heard.length)
      assert.isTrue(peers.every(({ told }) => told.every(({ kind }) => kind !== "head")))
      yield* driven(run.stop)
      assert.strictEqual((yield* visitor.closed).kind, "farewell")
      assert.strictEqual((yield* Effect.flip(visit("late"))).message.includes("nothing listens"), true)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("of one identity at two places get one place, and nobody is blamed", () =>
    Effect.gen(function*() {
      const chain = chainOf(20)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 4)
      const double = yield* syntheticPeer({ id: "peer-1" }, placeOf(20), honestAnswers(chain))
      const { notices, run } = yield* startRun({ chain, named: [...pointsOf(peers), double.point] })
      assert.strictEqual((yield* driven(run.done))?.outcome, "level-reached")
      assert.isTrue(run.snapshot().peers.filter(({ id }) => id === "peer-1").length <= 1)
      assert.deepStrictEqual(notices.filter(({ kind }) => kind === "blamed"), [])
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("banned by the operator go and stay away; unknown names are told apart", () =>
    Effect.gen(function*() {
      const chain = chainOf(20)
      yield* atHeadOf(chain)
      const peers = yield* peersOf(chain, 5)
      const { run } = yield* startRun({ chain, named: pointsOf(peers), sync: { until: undefined, peers: 5 } })
      yield* until(() => run.snapshot().peers.length === 5)
      assert.isFalse(run.ban("nobody", "x"))
      assert.isTrue(run.ban("peer-2", "spam"))
      yield* until(() => peers[1]!.ends.length === 1)
      yield* pass(120_000)
      assert.strictEqual(run.snapshot().peers.length, 4)
      assert.isTrue(run.unban("peer-2"))
      yield* until(() => run.snapshot().peers.length === 5)
      yield* driven(run.stop)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
