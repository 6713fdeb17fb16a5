/**
 * Fetches again what damage has taken from the applied chain of a store. The store knows the hash of every block, so that one peer's answer is proof
 * enough: a header by its id, units by their header. Peers are asked one after the other, before a run begins.
 */
import { Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type { BodyUnit, HeaderFacts } from "../contract/Block.ts"
import { ChainProtocol, type PeerSession } from "../contract/ChainProtocol.ts"
import { ChainStore, type ChainStoreService } from "../contract/ChainStore.ts"
import type { Answer, Request } from "../contract/PeerMessage.ts"
import { storeLimits } from "../contract/StoreLimits.ts"
import { addressOf } from "./PeerLinks.ts"
import { findHoles, lostPlaces, rememberMended, type StoreHole, unitsLost } from "./store/StoreHoles.ts"

/** Whom to ask, and for how long. */
export interface RepairOptions {
  /** The first `storeLimits.repairPeers` are asked, in this order, as long as something is missing. */
  readonly points: ReadonlyArray<string>
  /** For a connection, and for each silence on it. Default 10 s. */
  readonly timeoutMillis?: number
  /** Told before a peer is asked for what blocks lack. */
  readonly onAsk?: (point: string, blocks: number) => void
  /** Levels that were looked at, up to the head. */
  readonly onProgress?: (level: number, headLevel: number) => void
}

/** What was missing in a store, and what came of it. */
export interface RepairReport {
  /** Blocks of the applied chain that are whole again. */
  readonly blocks: number
  /** What was fetched for them: headers, units, bytes of both. */
  readonly headers: number
  readonly units: number
  readonly bytes: number
  /** Blocks that still miss something: no peer that was asked serves it. */
  readonly blocksLeft: number
  /** The first `storeLimits.damages` of them. */
  readonly left: ReadonlyArray<StoreHole>
  /** Why peers gave nothing more, one sentence each. */
  readonly reasons: ReadonlyArray<string>
}

interface Tally {
  headers: number
  units: number
  bytes: number
}

type Wanted = Extract<Answer, { readonly kind: "header" | "unit" }>
type Unit = Extract<Answer, { readonly kind: "unit" }>

const keyOf = (answer: Answer): string | undefined =>
  answer.kind === "header"
    ? answer.header.id
    : answer.kind === "unit"
    ? `${answer.block} ${answer.unit}`
    : undefined

/** Sends one request and hands over what answers it, until all is there, the peer is silent for too long, or it leaves. */
const makeAsk = Effect.fnUntraced(function*(session: PeerSession, timeoutMillis: number) {
  const answers = yield* Queue.unbounded<Wanted>()
  let wanted = new Set<string>()
  session.receive((message) => {
    if (message.kind === "request") return true
    const key = keyOf(message)
    // What was not asked for, or came already, is dropped here: no more than one request's answers wait.
    if (key !== undefined && wanted.delete(key)) Queue.offerUnsafe(answers, message as Wanted)
    return true
  })
  const next = Effect.raceFirst(Queue.take(answers), Effect.as(session.closed, undefined)).pipe(
    Effect.timeoutOption(timeoutMillis),
    Effect.map(Option.getOrUndefined)
  )
  return Effect.fnUntraced(function*(request: Request, keys: ReadonlyArray<string>) {
    wanted = new Set(keys)
    const got: Array<Wanted> = []
    if (keys.length === 0) return got
    yield* session.send([request])
    while (got.length < keys.length) {
      const answer = yield* next
      if (answer === undefined) break
      got.push(answer)
    }
    wanted = new Set()
    yield* Queue.clear(answers)
    return got
  })
})

type Ask = Effect.Success<ReturnType<typeof makeAsk>>

/** What a node says of a block that it does not have. */
const silence = "no answer: it does not have all of these blocks"
/** Each costs a timeout; a peer that keeps a part of the chain may have the next block. */
const silencesAllowed = 3

/** One peer's part in a repair of these holes; ends where it has no answer to anything. */
class PeerRepair {
  private readonly store: ChainStoreService
  private readonly ask: Ask
  private readonly tally: Tally

  constructor(store: ChainStoreService, ask: Ask, tally: Tally) {
    this.store = store
    this.ask = ask
    this.tally = tally
  }

  /** Returns why it gave less than it was asked for. */
  fetch(holes: ReadonlyArray<StoreHole>) {
    return Effect.gen({ self: this }, function*() {
      const { rules } = yield* ChainProtocol
      let silences = 0
      for (let at = 0; at < holes.length; at += rules.itemsPerRequest) {
        const some = holes.slice(at, at + rules.itemsPerRequest)
        const unknown = some.filter(({ header }) => header === undefined)
        const fetched = yield* this.headers(unknown)
        if (fetched.size < unknown.length) silences++
        for (const hole of some) {
          const header = hole.header ?? fetched.get(hole.id)
          const reason = header === undefined ? undefined : yield* this.units(hole, header)
          if (reason === silence) silences++
          else if (reason !== undefined) return reason
          if (silences >= silencesAllowed) return silence
        }
      }
      if (silences > 0) return silence
      return undefined
    })
  }

  private headers(holes: ReadonlyArray<StoreHole>) {
    return Effect.gen({ self: this }, function*() {
      const ids = holes.map(({ id }) => id)
      const headers = (yield* this.ask({ kind: "get-headers", ids }, ids)).flatMap((answer) =>
        answer.kind === "header" ? [answer.header] : []
      )
      if (headers.length > 0) yield* this.store.appendHeaders(headers)
      this.tally.headers += headers.length
      for (const { bytes } of headers) this.tally.bytes += bytes.length
      return new Map(headers.map((header) => [header.id, header]))
    })
  }

  /** One block at a time, so that memory holds one body. Undefined: all is there. */
  private units({ id, level, units: lost }: StoreHole, header: HeaderFacts) {
    return Effect.gen({ self: this }, function*() {
      const { rules } = yield* ChainProtocol
      const isBase = id === this.store.identity.base.id
      const units = isBase ? [] : lost.length > 0 ? lost : unitsLost(this.store.unitsHeld(id), header)
      const items = units.map((unit) => ({ block: id, unit }))
      const got: Array<Unit> = []
      for (let at = 0; at < items.length; at += rules.itemsPerRequest) {
        const some = items.slice(at, at + rules.itemsPerRequest)
        const answers = yield* this.ask(
          { kind: "get-units", items: some },
          some.map(({ unit }) => `${id} ${unit}`)
        )
        for (const answer of answers) if (answer.kind === "unit") got.push(answer)
        if (answers.length < some.length) break
      }
      const wrong = got.map(({ body, proof, unit }) => rules.verifyUnit(header, unit, body, proof))
      const good = got.filter((_, at) => wrong[at] === undefined)
      if (good.length > 0) {
        yield* this.store.appendUnits(good.map(({ block, body, unit }): BodyUnit => ({ block, unit, body })))
      }
      this.tally.units += good.length
      for (const { body } of good) this.tally.bytes += body.length
      const fault = wrong.find((problem) => problem !== undefined)
      if (fault !== undefined) return `what it gives for level ${level} is wrong: ${fault}`
      return good.length === items.length ? undefined : silence
    })
  }
}

const askPeer = Effect.fnUntraced(
  function*(point: string, holes: ReadonlyArray<StoreHole>, timeoutMillis: number, tally: Tally) {
    const transport = yield* Transport
    const protocol = yield* ChainProtocol
    const store = yield* ChainStore
    const opening = Effect.gen(function*() {
      const connection = yield* transport.dial(addressOf(point))
      return yield* protocol.open(connection, { side: "outgoing", dialled: point, accept: () => undefined })
    })
    const session = yield* Effect.timeoutOption(opening, timeoutMillis)
    if (session._tag === "None") return `no session within ${timeoutMillis} ms`
    const ask = yield* makeAsk(session.value, timeoutMillis)
    return yield* new PeerRepair(store, ask, tally).fetch(holes)
  },
  Effect.scoped,
  // A fault of our store is ours; all others are this peer's, and the next one is asked.
  (effect) => Effect.catchIf(effect, (error) => error._tag !== "StoreError", (error) => Effect.succeed(error.message))
)

/** Holes that are still there. */
const stillLost = Effect.fnUntraced(function*(store: ChainStoreService, holes: ReadonlyArray<StoreHole>) {
  const headers = yield* store.readHeaders(holes.map(({ id }) => id))
  const left: Array<StoreHole> = []
  for (const [at, { id, level }] of holes.entries()) {
    const header = headers[at]
    const units = header === undefined || id === store.identity.base.id
      ? []
      : unitsLost(store.unitsHeld(id), header)
    if (header === undefined || units.length > 0) left.push({ level, id, header, units })
  }
  return left
})

/**
 * Looks through the applied chain for what damage has taken, and fetches it again. Undefined, and nothing is read, where no damage is known that is not
 * mended. Fails with the store.
 */
export const repairStore = Effect.fn("repairStore")(function*(options: RepairOptions) {
  const store = yield* ChainStore
  if ((yield* lostPlaces(store)).length === 0) return undefined
  const timeoutMillis = options.timeoutMillis ?? 10_000
  const tally: Tally = { headers: 0, units: 0, bytes: 0 }
  const reasons = new Map<string, string>()
  const left: Array<StoreHole> = []
  let blocks = 0
  let blocksLeft = 0
  let points = options.points.slice(0, storeLimits.repairPeers)
  for (let level: number | undefined = 0; level !== undefined;) {
    const found: Effect.Success<ReturnType<typeof findHoles>> = yield* findHoles(
      store,
      level,
      (at) => options.onProgress?.(at, store.head.level)
    )
    let holes = found.holes
    for (const point of points) {
      if (holes.length === 0) break
      options.onAsk?.(point, holes.length)
      const reason = yield* askPeer(point, holes, timeoutMillis, tally)
      if (reason !== undefined) reasons.set(point, `${point}: ${reason}`)
      const before = holes.length
      holes = yield* stillLost(store, holes)
      // Who could not help with anything is not asked about the next ones.
      if (reason !== undefined && holes.length === before) points = points.filter((other) => other !== point)
    }
    blocks += found.holes.length - holes.length
    blocksLeft += holes.length
    left.push(...holes.slice(0, storeLimits.damages - left.length))
    level = found.nextLevel
  }
  if (blocksLeft === 0) yield* rememberMended(store)
  const report: RepairReport = { blocks, ...tally, blocksLeft, left, reasons: [...reasons.values()] }
  return report
})
