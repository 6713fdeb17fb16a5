/**
 * A running bootstrap: one fiber feeds events to the engine and executes its actions; connections, the store and the applier have fibers of their own.
 *
 *   peers ⇄ PeerLinks ──events──► ChainSync ──actions──► StoreLane ─► ChainStore
 *             ▲ Serving ◄─ store      │ └──────────────► ApplierLane ─► BlockApplier
 *             └────────── send ◄──────┘
 */
import { Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { type ApplierFailed, BlockApplier } from "../contract/BlockApplier.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import { ChainProtocol } from "../contract/ChainProtocol.ts"
import { ChainStore, type StoreError } from "../contract/ChainStore.ts"
import type { ChainSyncEngine, SyncAction, SyncEvent, SyncStart } from "../contract/ChainSync.ts"
import { SyncDefect, type SyncOutcome, type SyncRun, type SyncRunOptions } from "../contract/SyncRun.ts"
import { makeChainSync } from "../engine/ChainSync.ts"
import { type ApplierLane, makeApplierLane } from "./ApplierLane.ts"
import { PeerLinks } from "./PeerLinks.ts"
import { reconcile } from "./Reconcile.ts"
import { Serving } from "./Serving.ts"
import { knownPeersDocument, makeStoreLane, type StoreLane } from "./StoreLane.ts"

type RunError = StoreError | ApplierFailed | SyncDefect

/** Numbers in [0, 1) from a seed (mulberry32). */
const seeded = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Parts {
  readonly engine: ChainSyncEngine
  readonly links: PeerLinks
  readonly storeLane: StoreLane
  readonly applierLane: ApplierLane
  readonly options: SyncRunOptions
  readonly tell: (event: SyncEvent) => void
}

/** Executes an action: what is quick at once, what takes time as an effect that forks. */
const execute = (
  parts: Parts,
  action: SyncAction
): Effect.Effect<unknown, never, Transport | ChainProtocol> | undefined => {
  switch (action.kind) {
    case "dial":
      return parts.links.dial(action.point)
    case "resolve-names": {
      const resolve = parts.options.resolveNames ?? Effect.succeed([])
      return Effect.forkChild(Effect.map(resolve, (points) => parts.tell({ kind: "names-resolved", points })))
    }
    case "send":
      return void parts.links.get(action.peer)?.send(action.requests)
    case "disconnect":
      return void parts.links.get(action.peer)?.close(action.reason)
    case "store-headers":
    case "store-units":
    case "store-segment":
    case "load-headers":
    case "save-peers":
      return void parts.storeLane.offer(action)
    case "apply":
    case "rollback":
    case "switch":
    case "forget-branch":
      return void parts.applierLane.offer(action)
    case "notice":
      if (action.notice.kind === "applied") announce(parts)
      return void parts.options.onNotice?.(action.notice)
    case "finish":
      return undefined
  }
}

/** A new head goes to those that listen to ours, once we are with the others: before that it would be no news to anybody. */
const announce = ({ engine, links, options }: Parts): void => {
  const header = engine.headHeader
  if (options.serve === false || header === undefined || engine.status === "unsynced") return
  for (const link of links.all()) if (link.active) link.send([{ kind: "head", header }])
}

const runLoop = Effect.fnUntraced(function*(parts: Parts, events: Queue.Dequeue<SyncEvent>, clock: Clock.Clock) {
  const { engine } = parts
  const actions: Array<SyncAction> = []
  let batch: ReadonlyArray<SyncEvent> = [{ kind: "wake" }]
  for (;;) {
    const now = clock.currentTimeMillisUnsafe()
    for (const event of batch) engine.step(event, now)
    if (engine.wakeAt() <= now) engine.step({ kind: "wake" }, now)
    actions.length = 0
    engine.drain(actions)
    let finish: Extract<SyncAction, { kind: "finish" }> | undefined
    for (const action of actions) {
      if (action.kind === "finish") finish = action
      const effect = execute(parts, action)
      if (effect !== undefined) yield* effect
    }
    if (finish !== undefined) return finish
    const wake = engine.wakeAt() - clock.currentTimeMillisUnsafe()
    const next = Queue.takeBetween(events, 1, ChainLimits.eventsPerTurn)
    if (wake === Infinity) batch = yield* next
    else {
      const taken = yield* Effect.timeoutOption(next, Math.max(1, Math.ceil(wake)))
      batch = taken._tag === "Some" ? taken.value : [{ kind: "wake" }]
    }
  }
})

/** Where the run begins, as the store has it. */
const startOf = Effect.fnUntraced(function*(options: SyncRunOptions) {
  const store = yield* ChainStore
  const applier = yield* BlockApplier
  yield* reconcile(store, applier)
  const [stored] = yield* store.readHeaders([store.head.id])
  const headFacts = stored ?? (store.head.id === options.baseHeader?.id ? options.baseHeader : undefined)
  const start: SyncStart = {
    base: store.identity.base,
    head: store.head,
    headFacts,
    pending: store.pending,
    appliedAt: (level) => store.appliedAt(level),
    appliedLevel: (id) => store.appliedLevel(id),
    unitsHeld: (id) => store.unitsHeld(id),
    looseHeaders: store.looseHeaders > 0,
    knownPeers: yield* store.readDocument(knownPeersDocument),
    branches: applier.branches
  }
  return start
})

/** Starts a bootstrap in the surrounding scope; it goes on from what the store holds. */
export const startSync = Effect.fn("startSync")(function*(options: SyncRunOptions) {
  const store = yield* ChainStore
  const applier = yield* BlockApplier
  const protocol = yield* ChainProtocol
  const transport = yield* Transport
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const { rules } = protocol
  const start = yield* startOf(options)
  const engine = makeChainSync(options.sync, start, {
    rules,
    ownId: protocol.ownId,
    named: options.named,
    ...(options.scores === undefined ? {} : { scores: options.scores }),
    random: seeded(options.sync.seed)
  })
  const events = yield* Queue.unbounded<SyncEvent>()
  const tell = (event: SyncEvent): void => void Queue.offerUnsafe(events, event)
  const connections = yield* Scope.fork(scope)
  const serving = new Serving({
    store,
    rules,
    baseHeader: options.baseHeader,
    pointsToTell: (limit, audience) => engine.pointsToTell(limit, audience)
  }, clock)
  const links: PeerLinks = new PeerLinks({
    tell,
    ledger: options.ledger,
    admits: (id, host, side) => {
      const reason = engine.admits(id, host, side, clock.currentTimeMillisUnsafe())
      return reason === undefined ? undefined : { reason, points: engine.pointsToTell(ChainLimits.pointsTold, host) }
    },
    serve: (link) => options.serve === false ? Effect.never : serving.serve(link)
  }, connections)
  const storeLane = yield* makeStoreLane({ store, ledger: options.ledger, tell, released: () => links.resume() })
  const applierLane = yield* makeApplierLane({ store, applier, rules, headFacts: start.headFacts, tell })

  const done = yield* Deferred.make<SyncOutcome | undefined, RunError>()
  const fail = (error: RunError) => Deferred.fail(done, error)
  const lanes = Effect.all([storeLane.run, applierLane.run], { concurrency: "unbounded" })
  yield* Effect.forkScoped(Effect.catch(lanes, fail))
  const parts: Parts = { engine, links, storeLane, applierLane, options, tell }
  const flush = Effect.all([applierLane.flushed, storeLane.flushed]).pipe(
    Effect.timeoutOption(ChainLimits.stopMillis),
    Effect.asVoid
  )
  const close = Effect.andThen(flush, links.closeAll("stopped"))
  yield* Effect.forkScoped(
    runLoop(parts, events, clock).pipe(
      Effect.flatMap(({ outcome, reason }) =>
        Effect.andThen(flush, Deferred.succeed(done, { outcome, reason, head: store.head }))
      ),
      Effect.catchDefect((defect) => fail(new SyncDefect({ message: String(defect) })))
    )
  )
  const listener = options.listen === undefined
    ? undefined
    : yield* transport.listen(
      options.listen,
      (connection) => Effect.provideService(links.accept(connection), ChainProtocol, protocol)
    )

  const run: SyncRun = {
    snapshot: () => engine.snapshot(clock.currentTimeMillisUnsafe()),
    waits: () => engine.waits(clock.currentTimeMillisUnsafe()),
    ban: (peer, reason) => known(engine, peer, clock, () => tell({ kind: "ban", peer, reason })),
    unban: (peer) => known(engine, peer, clock, () => tell({ kind: "unban", peer })),
    listening: listener === undefined ? undefined : `${listener.address.host}:${listener.address.port}`,
    stop: Effect.gen(function*() {
      storeLane.offer({ kind: "save-peers", text: engine.savePeers() })
      yield* Deferred.succeed(done, undefined)
      yield* close
    }),
    done: Deferred.await(done)
  }
  return run
})

/** Does what is wished of a peer, when there is one of that name. */
const known = (engine: ChainSyncEngine, name: string, clock: Clock.Clock, act: () => void): boolean => {
  const found = engine.snapshot(clock.currentTimeMillisUnsafe()).known.some(({ id, point }) =>
    id === name || point === name
  )
  if (found) act()
  return found
}
