/**
 * A running bootstrap: one fiber feeds events to the engine and executes its actions; connections, the store and the applier have fibers of their own.
 *
 *   peers ⇄ PeerLinks ──events──► ChainSync ──actions──► StoreLane ─► ChainStore
 *             ▲ Serving ◄─ store      │ └──────────────► ApplierLane ─► BlockApplier
 *             └────────── send ◄──────┘
 */
import { Transport } from "@peerstrap/transport"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { type ApplierFailed, BlockApplier } from "../contract/BlockApplier.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import { ChainProtocol } from "../contract/ChainProtocol.ts"
import { ChainStore, type StoreError } from "../contract/ChainStore.ts"
import type { ChainSyncEngine, SyncEvent, SyncStart } from "../contract/ChainSync.ts"
import { SyncDefect, type SyncOutcome, type SyncRun, type SyncRunOptions } from "../contract/SyncRun.ts"
import { makeChainSync } from "../engine/ChainSync.ts"
import { makeApplierLane } from "./ApplierLane.ts"
import { BodyMemory, bodyWait } from "./BodyMemory.ts"
import { PeerLinks } from "./PeerLinks.ts"
import { reconcile } from "./Reconcile.ts"
import { Serving } from "./Serving.ts"
import { knownPeersDocument, makeStoreLane } from "./StoreLane.ts"
import { type Finish, type LoopParts, runLoop } from "./SyncLoop.ts"

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

/** Where the run begins, as the store has it. */
const startOf = Effect.fnUntraced(function*(options: SyncRunOptions) {
  const store = yield* ChainStore
  const applier = yield* BlockApplier
  yield* reconcile(store, applier, options.sync.timers)
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

/** What ends a run, when it is not a wish: the first failure counts, and what is no failure is a defect. */
const runError = (cause: Cause.Cause<StoreError | ApplierFailed>): RunError => {
  const error = Cause.findError(cause)
  return Result.isSuccess(error) ? error.success : new SyncDefect({ message: String(Cause.squash(cause)) })
}

interface Supervised extends LoopParts {
  readonly done: Deferred.Deferred<SyncOutcome | undefined, RunError>
  /** Everything is over and closed. */
  readonly stopped: Deferred.Deferred<void>
  /** From now on what peers say is dropped. */
  readonly endEvents: () => void
  readonly head: () => SyncOutcome["head"]
}

/** The life of a run: works until something ends it, makes durable what has arrived, says farewell. */
const supervise = Effect.fnUntraced(function*(parts: Supervised) {
  const { applierLane, bodies, done, engine, links, storeLane } = parts
  const store = yield* Effect.forkChild(storeLane.run)
  const applier = yield* Effect.forkChild(applierLane.run)
  const first = yield* Effect.exit(
    Effect.raceAllFirst<Effect.Effect<Finish | undefined, StoreError | ApplierFailed, Transport | ChainProtocol>>([
      runLoop(parts),
      Fiber.join(store),
      Fiber.join(applier)
    ])
  )
  parts.endEvents()
  if (Exit.isSuccess(first)) storeLane.offer({ kind: "save-peers", text: engine.savePeers() })
  // The applier's last results lead to what the store has to keep.
  yield* Effect.timeoutOption(Effect.andThen(applierLane.flushed, storeLane.flushed), ChainLimits.stopMillis)
  const failed = [first, storeLane.ended ?? first, applierLane.ended ?? first].find(Exit.isFailure)
  yield* Effect.timeoutOption(links.closeAll("we stop"), ChainLimits.stopMillis)
  bodies.close()
  if (failed !== undefined) yield* Deferred.fail(done, runError(failed.cause))
  else {
    const finish = Exit.isSuccess(first) ? first.value : undefined
    yield* Deferred.succeed(
      done,
      finish === undefined ? undefined : { outcome: finish.outcome, reason: finish.reason, head: parts.head() }
    )
  }
  yield* Deferred.succeed(parts.stopped, undefined)
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
  const { baseHeader, ledger } = options
  const start = yield* startOf(options)
  const engine = makeChainSync(options.sync, start, {
    rules,
    ownId: protocol.ownId,
    named: options.named,
    ...(options.scores === undefined ? {} : { scores: options.scores }),
    ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
    random: seeded(options.sync.seed)
  })
  const bodies = new BodyMemory(ledger)
  const done = yield* Deferred.make<SyncOutcome | undefined, RunError>()
  const stopped = yield* Deferred.make<void>()
  // Added first, so that it runs last: whoever waits for a run whose scope was closed is not left waiting.
  yield* Effect.addFinalizer(() => {
    bodies.close()
    return Effect.andThen(Deferred.succeed(done, undefined), Deferred.succeed(stopped, undefined))
  })
  const connections = yield* Scope.fork(scope)
  const events = yield* Queue.unbounded<SyncEvent>()
  let isStopping = false
  let isOver = false
  const tell = (event: SyncEvent): void => {
    if (!isOver) return void Queue.offerUnsafe(events, event)
    if (event.kind === "answer" && event.answer.kind === "unit") bodies.giveBack(event.answer.body.length)
  }
  // Bodies that wait are tried again at once; those on their way in are by their sessions.
  const deaf = ledger.onResized(() => tell({ kind: "wake" }))
  yield* Effect.addFinalizer(() => Effect.sync(deaf))
  const serving = new Serving({
    store,
    rules,
    baseHeader,
    ledger,
    pointsToTell: (limit, audience) => engine.pointsToTell(limit, audience)
  }, clock)
  const storeLane = yield* makeStoreLane({ store, bodies, tell, onDone: () => links.resume() })
  const links: PeerLinks = new PeerLinks({
    tell,
    inflow: { bodies, isBehind: () => storeLane.waiting >= ChainLimits.storeActionsWaiting },
    admits: (id, host, side) => {
      const reason = engine.admits(id, host, side, clock.currentTimeMillisUnsafe())
      return reason === undefined ? undefined : { reason, points: engine.pointsToTell(ChainLimits.pointsTold, host) }
    },
    serve: (link) => options.serve === false ? Effect.never : serving.serve(link)
  }, connections)
  const { headFacts } = start
  const applierLane = yield* makeApplierLane({
    store,
    applier,
    rules,
    headFacts,
    baseHeader,
    tell,
    stored: storeLane.flushed
  })
  const listener = options.listen === undefined
    ? undefined
    : yield* Scope.provide(
      transport.listen(
        options.listen,
        (connection) => Effect.provideService(links.accept(connection), ChainProtocol, protocol)
      ),
      connections
    )
  yield* Effect.forkScoped(supervise({
    engine,
    events,
    links,
    bodies,
    storeLane,
    applierLane,
    options,
    clock,
    tell,
    isStopping: () => isStopping,
    done,
    stopped,
    endEvents: () => {
      isOver = true
    },
    head: () => store.head
  }))
  const run: SyncRun = {
    snapshot: () => engine.snapshot(clock.currentTimeMillisUnsafe()),
    waits: () => {
      const now = clock.currentTimeMillisUnsafe()
      return links.waitsForMemory ? [...engine.waits(now), bodyWait(ledger, now)] : engine.waits(now)
    },
    ban: (peer, reason) => known(engine, peer, clock, () => tell({ kind: "ban", peer, reason })),
    unban: (peer) => known(engine, peer, clock, () => tell({ kind: "unban", peer })),
    listening: listener === undefined ? undefined : `${listener.address.host}:${listener.address.port}`,
    stop: Effect.suspend(() => {
      isStopping = true
      tell({ kind: "wake" })
      return Deferred.await(stopped)
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
