/**
 * Answers other nodes from the store: we are a good peer, too. What we do not have, or cannot read, is met with silence, as by every node; each peer's
 * requests are answered one after the other, one block's body at a time, a few peers at a time, and kinds that are throttled on the wire are throttled
 * here (specs: chain bootstrap 1.9, 1.10). A peer that does not read its answers waits alone.
 */
import type { ByteLedger } from "@peerstrap/transport"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { BlockId, HeaderFacts } from "../contract/Block.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { ChainRules } from "../contract/ChainRules.ts"
import type { ChainStoreService, StoreError } from "../contract/ChainStore.ts"
import type { Reply, Request, UnitKey } from "../contract/PeerMessage.ts"
import { makeThrottle, type Throttle } from "../engine/connections/Throttle.ts"
import type { PeerLink } from "./PeerLink.ts"

export interface ServingParts {
  readonly store: ChainStoreService
  readonly rules: ChainRules
  readonly baseHeader: HeaderFacts | undefined
  /** Bodies that are being sent draw from it; while it refuses, requests for them are met with silence. */
  readonly ledger: ByteLedger
  readonly pointsToTell: (limit: number, audience: string) => ReadonlyArray<string>
}

type Answers = ReadonlyArray<Reply>

/** Ledger account of bodies between the disk and a connection. */
const servingAccount = "serving"

export class Serving {
  private readonly parts: ServingParts
  private readonly turn = Semaphore.makeUnsafe(ChainLimits.servedAtOnce)
  private readonly clock: Clock.Clock

  constructor(parts: ServingParts, clock: Clock.Clock) {
    this.parts = parts
    this.clock = clock
  }

  /** Answers a connection's requests one after the other, for as long as it lives. */
  serve(link: PeerLink): Effect.Effect<void> {
    const throttle = makeThrottle({ ...this.parts.rules.spacingMillis })
    return Effect.forever(Effect.flatMap(link.requests.next, (request) => this.answer(link, throttle, request)))
  }

  /** One request. A block that cannot be read is no reason to leave the others unanswered. */
  private answer(link: PeerLink, throttle: Throttle, request: Request): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const kind = throttledKind[request.kind]
      if (kind !== undefined) {
        const now = this.clock.currentTimeMillisUnsafe()
        const wait = throttle.mayAt(kind, now) - now
        if (wait > 0 && ignoredWhenEarly.has(request.kind)) return
        if (wait > 0) yield* Effect.sleep(wait)
        throttle.sent(kind, this.clock.currentTimeMillisUnsafe())
      }
      if (request.kind === "get-units") return yield* this.sendUnits(link, request.items)
      const replies = yield* this.turn.withPermits(1)(this.replies(link, request))
      if (replies.length > 0) yield* link.session.send(replies)
    }).pipe(Effect.catch((error) => Effect.logDebug("a request is left unanswered", request.kind, error.message)))
  }

  private replies(
    link: PeerLink,
    request: Exclude<Request, { kind: "get-units" }>
  ): Effect.Effect<Answers, StoreError> {
    switch (request.kind) {
      case "get-branch":
        return Effect.map(
          this.head,
          (head) => head === undefined ? [] : [{ kind: "branch", chain: this.locator(head) }]
        )
      case "get-head":
        return Effect.map(this.head, (header) => header === undefined ? [] : [{ kind: "head", header }])
      case "get-headers":
        return Effect.map(this.headers(request.ids), (headers) => headers.map((header) => ({ kind: "header", header })))
      case "get-ancestor":
        return this.ancestor(request.of, request.offset)
      case "get-peers": {
        const points = this.parts.pointsToTell(ChainLimits.pointsTold, link.host)
        return Effect.succeed([{ kind: "peers", points }])
      }
      // A swap needs a peer that we would part with; not to answer is allowed, and safe.
      case "swap-request":
        return Effect.succeed([])
    }
  }

  /** Header of the last applied block; of the base as long as nothing is applied. */
  private get head(): Effect.Effect<HeaderFacts | undefined, StoreError> {
    const { baseHeader, store } = this.parts
    return Effect.map(
      store.readHeaders([store.head.id]),
      ([header]) => header ?? (store.head.id === baseHeader?.id ? baseHeader : undefined)
    )
  }

  private locator(head: HeaderFacts): Extract<Reply, { kind: "branch" }>["chain"] {
    const { store } = this.parts
    const idAt = (level: number): BlockId => store.appliedAt(level) ?? store.identity.base.id
    return { head, lowestLevel: store.identity.base.level, idAt }
  }

  private headers(ids: ReadonlyArray<BlockId>): Effect.Effect<ReadonlyArray<HeaderFacts>, StoreError> {
    const { baseHeader, rules, store } = this.parts
    const asked = ids.slice(0, rules.itemsPerRequest)
    return Effect.map(
      store.readHeaders(asked),
      (headers) =>
        headers.flatMap((header, at) =>
          header ?? (baseHeader !== undefined && baseHeader.id === asked[at] ? baseHeader : [])
        )
    )
  }

  private ancestor(of: BlockId, offset: number): Effect.Effect<Answers, StoreError> {
    const { store } = this.parts
    const level = store.appliedLevel(of)
    const id = level === undefined || offset < 0 ? undefined : store.appliedAt(level - offset)
    if (id === undefined) return Effect.succeed([])
    return Effect.map(
      this.headers([id]),
      (headers) => headers.map((header) => ({ kind: "ancestor", of, offset, header }))
    )
  }

  /** Block by block, each given back before the next is read. */
  private sendUnits(link: PeerLink, items: ReadonlyArray<UnitKey>) {
    const { ledger, rules } = this.parts
    const wanted = Map.groupBy(items.slice(0, rules.itemsPerRequest), ({ block }) => block)
    return Effect.gen({ self: this }, function*() {
      for (const header of yield* this.headers([...wanted.keys()])) {
        const units = yield* this.turn.withPermits(1)(this.body(header))
        const asked = (wanted.get(header.id) ?? []).filter(({ unit }) => unit >= 0 && unit < units.length)
        if (asked.length === 0) continue
        const bytes = units.reduce((sum, unit) => sum + unit.length, 0)
        yield* Effect.acquireUseRelease(
          Effect.sync(() => ledger.tryReserve(servingAccount, bytes)),
          (isDrawn) => isDrawn ? link.session.send(asked.map((key) => ({ kind: "unit", ...key, units }))) : Effect.void,
          (isDrawn) => Effect.sync(() => isDrawn ? ledger.release(servingAccount, bytes) : undefined)
        )
      }
    })
  }

  /** All units of a block, or none. */
  private body(header: HeaderFacts): Effect.Effect<ReadonlyArray<Uint8Array>, StoreError> {
    const { store } = this.parts
    if (store.unitsHeld(header.id) !== 2 ** header.units - 1) return Effect.succeed([])
    return Effect.map(store.readUnits(header.id), (read) => {
      const units = read.flatMap((body) => body ?? [])
      return units.length === header.units ? units : []
    })
  }
}

/** Octez ignores these when they come too early; the others it answers late. */
const ignoredWhenEarly: ReadonlySet<Request["kind"]> = new Set(["get-peers", "swap-request"])

const throttledKind = {
  "get-branch": "branch",
  "get-head": "head",
  "get-ancestor": "ancestor",
  "get-peers": "peers",
  "swap-request": "swap",
  "get-headers": undefined,
  "get-units": undefined
} as const
