/**
 * Answers other nodes from the store: we are a good peer, too. What we do not have is met with silence, as by every node; each peer's requests are
 * answered one after the other, a few peers at a time, and kinds that are throttled on the wire are throttled here (specs: chain bootstrap 1.9, 1.10).
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { BlockId, HeaderFacts } from "../contract/Block.ts"
import { ChainLimits } from "../contract/ChainLimits.ts"
import type { ChainRules } from "../contract/ChainRules.ts"
import type { ChainStoreService, StoreError } from "../contract/ChainStore.ts"
import type { Reply, Request, UnitKey } from "../contract/PeerMessage.ts"
import { makeThrottle, type Throttle } from "../engine/connections/Throttle.ts"
import type { PeerLink } from "./PeerLinks.ts"

export interface ServingParts {
  readonly store: ChainStoreService
  readonly rules: ChainRules
  readonly baseHeader: HeaderFacts | undefined
  readonly pointsToTell: (limit: number, audience: string) => ReadonlyArray<string>
}

type Answers = ReadonlyArray<Reply>

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
    const one = Effect.flatMap(link.requests.next, (request) => this.answer(link, throttle, request))
    return Effect.ignore(Effect.forever(one))
  }

  private answer(link: PeerLink, throttle: Throttle, request: Request): Effect.Effect<void, StoreError> {
    return Effect.gen({ self: this }, function*() {
      const kind = throttledKind[request.kind]
      if (kind !== undefined) {
        const now = this.clock.currentTimeMillisUnsafe()
        const wait = throttle.mayAt(kind, now) - now
        if (wait > 0) yield* Effect.sleep(wait)
        throttle.sent(kind, this.clock.currentTimeMillisUnsafe())
      }
      const replies = yield* this.turn.withPermits(1)(this.replies(link, request))
      if (replies.length > 0) yield* Effect.ignore(link.session.send(replies))
    })
  }

  private replies(link: PeerLink, request: Request): Effect.Effect<Answers, StoreError> {
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
      case "get-units":
        return this.units(request.items)
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
    const held = ids.slice(0, this.parts.rules.itemsPerRequest).filter((id) => this.parts.store.hasHeader(id))
    return Effect.map(this.parts.store.readHeaders(held), (headers) => headers.flatMap((header) => header ?? []))
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

  private units(items: ReadonlyArray<UnitKey>): Effect.Effect<Answers, StoreError> {
    const { rules, store } = this.parts
    const wanted = Map.groupBy(items.slice(0, rules.itemsPerRequest), ({ block }) => block)
    return Effect.gen({ self: this }, function*() {
      const replies: Array<Reply> = []
      for (const header of yield* this.headers([...wanted.keys()])) {
        if (store.unitsHeld(header.id) !== 2 ** header.units - 1) continue
        const units = (yield* store.readUnits(header.id)).flatMap((body) => body ?? [])
        if (units.length !== header.units) continue
        for (const { unit } of wanted.get(header.id) ?? []) {
          if (unit >= 0 && unit < units.length) replies.push({ kind: "unit", block: header.id, unit, units })
        }
      }
      return replies
    })
  }
}

const throttledKind = {
  "get-branch": "branch",
  "get-head": "head",
  "get-ancestor": "ancestor",
  "get-peers": "peers",
  "swap-request": "swap",
  "get-headers": undefined,
  "get-units": undefined
} as const
