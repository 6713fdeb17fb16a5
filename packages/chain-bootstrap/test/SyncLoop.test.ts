// The loop around an engine that does as the test says: what is executed, what is announced, what becomes of bodies, how it stops.
import { assert, describe, it } from "@effect/vitest"
import { ByteLedger, Memory } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import type { ApplierAction } from "../src/adapter/ApplierLane.ts"
import { BodyMemory } from "../src/adapter/BodyMemory.ts"
import { PeerLinks } from "../src/adapter/PeerLinks.ts"
import type { StoreAction } from "../src/adapter/StoreLane.ts"
import { runLoop } from "../src/adapter/SyncLoop.ts"
import type { HeaderFacts } from "../src/contract/Block.ts"
import { ChainProtocol } from "../src/contract/ChainProtocol.ts"
import type { ChainSyncEngine, SyncAction, SyncEvent, SyncStatus } from "../src/contract/ChainSync.ts"
import { syntheticProtocol } from "../src/testing/index.ts"
import { chainOf, pass, peersOf, until } from "./AdapterWorld.ts"

const chain = chainOf(5)
const { header, units } = chain.at(1)
const body = units[1]!
const answer: SyncEvent = {
  kind: "answer",
  peer: 1,
  answer: { kind: "unit", block: header.id, unit: 1, body, proof: new Uint8Array(0) }
}
const storeUnit: SyncAction = { kind: "store-units", units: [{ block: header.id, unit: 1, body }] }
const apply: SyncAction = { kind: "apply", blocks: [header], firstLevel: 1, branch: "head" }
const finish: SyncAction = { kind: "finish", outcome: "synced", reason: "done" }

const none = (): never => assert.fail("not asked for here")

/** A loop around `decide`, which answers each event with actions. */
const loopOf = Effect.fnUntraced(function*(decide: (event: SyncEvent) => ReadonlyArray<SyncAction>) {
  const actions: Array<SyncAction> = []
  const seen: { head: HeaderFacts | undefined; status: SyncStatus; stopping: boolean } = {
    head: undefined,
    status: "unsynced",
    stopping: false
  }
  const engine: ChainSyncEngine = {
    step: (event) => void actions.push(...decide(event)),
    drain: (out) => void out.push(...actions.splice(0)),
    wakeAt: () => Infinity,
    waits: none,
    snapshot: none,
    admits: none,
    pointsToTell: none,
    savePeers: none,
    get headHeader() {
      return seen.head
    },
    get status() {
      return seen.status
    }
  }
  const events = yield* Queue.unbounded<SyncEvent>()
  const tell = (event: SyncEvent): void => void Queue.offerUnsafe(events, event)
  const bodies = new BodyMemory(new ByteLedger(2 ** 20))
  const links = new PeerLinks(
    { tell, admits: () => undefined, serve: () => Effect.never, inflow: { bodies, isBehind: () => false } },
    yield* Scope.fork(yield* Effect.scope)
  )
  const [stored, applied]: [Array<StoreAction>, Array<ApplierAction>] = [[], []]
  const idle = { waiting: 0, run: Effect.never, flushed: Effect.void, ended: undefined }
  const loop = runLoop({
    engine,
    events,
    links,
    bodies,
    storeLane: { ...idle, offer: (action) => void stored.push(action) },
    applierLane: { ...idle, offer: (action) => void applied.push(action) },
    options: {},
    clock: yield* Clock.Clock,
    tell,
    isStopping: () => seen.stopping
  }).pipe(Effect.provideService(ChainProtocol, syntheticProtocol({ id: "us" })))
  return { applied, bodies, events, links, loop, seen, stored, tell }
})

describe("the loop", () => {
  it.effect("gives back bodies that the engine does not want, keeps those that it has stored, and ends with the engine", () =>
    Effect.gen(function*() {
      let wanted = 0
      const world = yield* loopOf((event) =>
        event.kind === "ban" ? [finish, apply] : event.kind === "answer" && wanted++ === 1 ? [storeUnit] : []
      )
      const { applied, bodies, loop, stored, tell } = world
      for (let n = 0; n < 3; n++) {
        assert.isTrue(bodies.tryDraw(body.length))
        tell(answer)
      }
      tell({ kind: "ban", peer: "x", reason: "" })
      assert.deepStrictEqual(yield* loop, finish)
      assert.deepStrictEqual([bodies.drawn, stored.length, applied.length], [body.length, 1, 1])
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("told to stop takes what has arrived to the store, and begins nothing", () =>
    Effect.gen(function*() {
      const { applied, bodies, events, loop, seen, stored, tell } = yield* loopOf((event) =>
        event.kind === "answer" ? [storeUnit, apply, { kind: "dial", point: "10.0.0.1:1" }] : []
      )
      assert.isTrue(bodies.tryDraw(body.length))
      tell(answer)
      seen.stopping = true
      assert.isUndefined(yield* loop)
      assert.deepStrictEqual([stored, applied, bodies.drawn], [[storeUnit as StoreAction], [], body.length])
      assert.strictEqual(yield* Queue.size(events), 0)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("takes it for a defect when the engine has bodies stored that did not arrive", () =>
    Effect.gen(function*() {
      const { loop } = yield* loopOf((event) => event.kind === "wake" ? [storeUnit] : [])
      assert.match(String(yield* Effect.exit(loop)), /a defect/)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))

  it.effect("announces each head once, when we are with the others, to those that asked for our branch", () =>
    Effect.gen(function*() {
      const peers = yield* peersOf(chain, 2)
      const { links, loop, seen, tell } = yield* loopOf((event) =>
        event.kind === "names-resolved" ? event.points.map((point) => ({ kind: "dial", point })) : []
      )
      const fiber = yield* Effect.forkChild(loop)
      tell({ kind: "names-resolved", points: peers.map(({ point }) => point) })
      yield* until(() => [...links.all()].length === 2)
      const listener = peers[0]!
      yield* [...listener.sessions][0]!.send([{ kind: "get-branch" }])
      yield* until(() => [...links.all()].some(({ active }) => active))
      const heads = () => listener.told.map((told) => told.header?.level)
      const next = Effect.fnUntraced(function*(level: number, status: SyncStatus) {
        seen.head = chain.at(level).header
        seen.status = status
        tell({ kind: "wake" })
        yield* pass(50)
        return heads()
      })
      assert.deepStrictEqual(yield* next(1, "unsynced"), [])
      assert.deepStrictEqual(yield* next(2, "synced"), [2])
      assert.deepStrictEqual(yield* next(2, "synced"), [2])
      assert.deepStrictEqual(yield* next(4, "stuck"), [2, 4])
      assert.deepStrictEqual(peers[1]!.told, [])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.scoped, Effect.provide(Memory.layer)))
})
