/**
 * The loop around the engine: takes what happened, lets the engine decide, executes what it wants. Nothing here waits but for events and time, so
 * that events wait no longer than a turn; how many can wait is bounded where they arise (`Inflow`, `RequestQueue`, `ConnectionLimits`).
 */
import type { Transport } from "@peerstrap/transport"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { ChainProtocol } from "../contract/ChainProtocol.ts"
import type { ChainSyncEngine, SyncAction, SyncEvent } from "../contract/ChainSync.ts"
import type { SyncRunOptions } from "../contract/SyncRun.ts"
import type { ApplierLane } from "./ApplierLane.ts"
import type { BodyMemory } from "./BodyMemory.ts"
import type { PeerLinks } from "./PeerLinks.ts"
import type { StoreLane } from "./StoreLane.ts"

export interface LoopParts {
  readonly engine: ChainSyncEngine
  readonly events: Queue.Queue<SyncEvent>
  readonly links: PeerLinks
  readonly bodies: BodyMemory
  readonly storeLane: StoreLane
  readonly applierLane: ApplierLane
  readonly options: Pick<SyncRunOptions, "resolveNames" | "onNotice" | "serve">
  readonly clock: Clock.Clock
  readonly tell: (event: SyncEvent) => void
  readonly isStopping: () => boolean
}

export type Finish = Extract<SyncAction, { kind: "finish" }>

/** What is quick is done at once, what takes time is forked. */
const execute = (
  { applierLane, links, options, storeLane, tell }: LoopParts,
  action: SyncAction
): Effect.Effect<unknown, never, Transport | ChainProtocol> | undefined => {
  switch (action.kind) {
    case "dial":
      return links.dial(action.point)
    case "resolve-names": {
      const resolved = Effect.map(
        options.resolveNames ?? Effect.succeed([]),
        (points) => tell({ kind: "names-resolved", points })
      )
      // The engine asks again later, so that nothing waits for an answer.
      return Effect.forkChild(
        Effect.catchDefect(resolved, (defect) => Effect.logError("resolving names ended by a defect", defect))
      )
    }
    case "send":
      return void links.get(action.peer)?.send(action.requests)
    case "disconnect":
      return void links.get(action.peer)?.close(action.reason)
    case "store-headers":
    case "store-units":
    case "store-segment":
    case "load-headers":
    case "save-peers":
      return void storeLane.offer(action)
    case "apply":
    case "rollback":
    case "switch":
    case "forget-branch":
      return void applierLane.offer(action)
    case "notice":
      return void options.onNotice?.(action.notice)
    case "finish":
      return undefined
  }
}

/**
 * Feeds a batch to the engine and collects what it wants. Bodies that arrived with the batch and that the engine does not have stored (repeated, wrong,
 * never asked for, of a peer that left) go back to the ledger here; the others when they are durable.
 */
const decide = (
  { bodies, engine, links }: LoopParts,
  batch: ReadonlyArray<SyncEvent>,
  now: number,
  actions: Array<SyncAction>
): void => {
  let arrivedBytes = 0
  for (const event of batch) {
    if (event.kind === "answer") {
      links.taken(event.peer)
      if (event.answer.kind === "unit") arrivedBytes += event.answer.body.length
    }
    engine.step(event, now)
  }
  actions.length = 0
  engine.drain(actions)
  if (engine.wakeAt() <= now) {
    engine.step({ kind: "wake" }, now)
    engine.drain(actions)
  }
  let storedBytes = 0
  for (const action of actions) {
    if (action.kind === "store-units") { for (const { body } of action.units) storedBytes += body.length }
  }
  if (storedBytes > arrivedBytes) {
    throw new Error(`the engine has ${storedBytes} bytes of bodies stored, ${arrivedBytes} arrived: a defect`)
  }
  bodies.giveBack(arrivedBytes - storedBytes)
}

/** A new head goes to those that listen to ours, once we are with the others: before that it would be no news to anybody. */
const makeAnnouncer = ({ engine, links, options }: LoopParts): () => void => {
  let announced = engine.headHeader?.id
  return () => {
    const header = engine.headHeader
    if (options.serve === false || header === undefined || header.id === announced) return
    if (engine.status === "unsynced") return
    announced = header.id
    for (const link of links.all()) if (link.active && link.keepsUp) link.send([{ kind: "head", header }])
  }
}

const isStoreAction = (action: SyncAction): action is Parameters<StoreLane["offer"]>[0] =>
  action.kind === "store-headers" || action.kind === "store-units" || action.kind === "store-segment"

/** Returns how the engine finished, or undefined when it was told to stop: then what has arrived goes to the store, and nothing else is begun. */
export const runLoop = Effect.fnUntraced(function*(parts: LoopParts) {
  const { clock, engine, events, links } = parts
  const actions: Array<SyncAction> = []
  const announce = makeAnnouncer(parts)
  let batch: ReadonlyArray<SyncEvent> = [{ kind: "wake" }]
  for (;;) {
    if (parts.isStopping()) {
      const rest = yield* Queue.clear(events)
      decide(parts, [...batch, ...rest], clock.currentTimeMillisUnsafe(), actions)
      for (const action of actions) if (isStoreAction(action)) parts.storeLane.offer(action)
      return undefined
    }
    decide(parts, batch, clock.currentTimeMillisUnsafe(), actions)
    let finish: Finish | undefined
    for (const action of actions) {
      if (action.kind === "finish") finish = action
      const effect = execute(parts, action)
      if (effect !== undefined) yield* effect
    }
    announce()
    if (finish !== undefined) return finish
    links.resume()
    const now = clock.currentTimeMillisUnsafe()
    const wake = Math.min(engine.wakeAt(), links.waitsForMemory ? now + ChainLimits.memoryRetryMillis : Infinity)
    const next = Queue.takeBetween(events, 1, ChainLimits.eventsPerTurn)
    if (wake === Infinity) batch = yield* next
    else {
      const taken = yield* Effect.timeoutOption(next, Math.max(1, Math.ceil(wake - now)))
      batch = taken._tag === "Some" ? taken.value : [{ kind: "wake" }]
    }
  }
})
