/**
 * `ChainProtocol` for synthetic chains over any connection, and a small honest peer that serves one: what the adapters need to be tried without a real
 * chain. An identity is any text; nothing is proved, nothing is encrypted.
 */
import { type Address, type Connection, type ListenError, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import type { BlockId, HeaderFacts } from "../contract/Block.ts"
import {
  ChainProtocol,
  HandshakeFailed,
  type OpenOptions,
  type PeerSession,
  type SessionEnd
} from "../contract/ChainProtocol.ts"
import type { ChainRules } from "../contract/ChainRules.ts"
import type { Reply, Request } from "../contract/PeerMessage.ts"
import { type SyntheticChain, syntheticRules } from "./SyntheticChain.ts"
import { SyntheticSession } from "./SyntheticSession.ts"
import type { SyntheticHello, SyntheticVerdict } from "./SyntheticWire.ts"

/** Whose session it is, of which chain, by which rules. */
export interface SyntheticProtocolOptions {
  /** Our identity. */
  readonly id: string
  /** Default `synthetic`; peers of another chain refuse each other. */
  readonly chain?: string
  /** Default `syntheticRules`. */
  readonly rules?: ChainRules
  /** Whether we understand `get-ancestor`. Default true. */
  readonly ancestors?: boolean
  /** Time of a whole handshake. Default 5 s. */
  readonly handshakeMillis?: number
}

/** The proof of every unit of a block: the hashes of all. */
export const syntheticProof = (units: ReadonlyArray<Uint8Array>): Uint8Array => {
  const proof = new Uint8Array(32 * units.length)
  units.forEach((body, unit) => {
    proof.set(createHash("sha256").update(Uint8Array.of(unit)).update(body).digest(), 32 * unit)
  })
  return proof
}

const isHello = (value: unknown): value is SyntheticHello =>
  typeof value === "object" && value !== null && "hello" in value && typeof value.hello === "string"

const isVerdict = (value: unknown): value is SyntheticVerdict =>
  typeof value === "object" && value !== null && "verdict" in value

const shake = Effect.fnUntraced(function*(
  options: SyntheticProtocolOptions,
  session: SyntheticSession,
  connection: Connection,
  opening: OpenOptions
) {
  const chain = options.chain ?? "synthetic"
  const ancestors = options.ancestors ?? true
  const fail = (
    reason: HandshakeFailed["reason"],
    message: string,
    id?: string,
    points: ReadonlyArray<string> = []
  ): HandshakeFailed => new HandshakeFailed({ remote: connection.remote, reason, id, points: [...points], message })
  yield* session.say([{ hello: options.id, chain, ancestors } satisfies SyntheticHello])
  const hello = yield* session.hears
  if (!isHello(hello)) return yield* fail("malformed", `no hello: ${JSON.stringify(hello).slice(0, 60)}`)
  const id = hello.hello
  if (id === options.id) return yield* fail("self", "that is ourselves", id)
  const refusal = hello.chain === chain ? opening.accept(id) : { reason: `chain ${chain} here`, points: [] }
  if (refusal !== undefined) {
    yield* session.say([{ verdict: refusal.reason, points: refusal.points } satisfies SyntheticVerdict])
    return yield* fail("refused", refusal.reason, id)
  }
  yield* session.say([{ verdict: "welcome" } satisfies SyntheticVerdict])
  const verdict = yield* session.hears
  if (!isVerdict(verdict)) return yield* fail("malformed", `no verdict: ${JSON.stringify(verdict).slice(0, 60)}`, id)
  if ("points" in verdict) return yield* fail("nacked", verdict.verdict, id, verdict.points)
  session.id = id
  session.point = opening.dialled
  session.ancestors = ancestors && hello.ancestors
})

const openSession = Effect.fnUntraced(function*(
  options: SyntheticProtocolOptions,
  connection: Connection,
  opening: OpenOptions
): Effect.fn.Return<SyntheticSession, HandshakeFailed, Scope.Scope> {
  const session = new SyntheticSession({
    connection,
    rules: options.rules ?? syntheticRules,
    proofOf: syntheticProof,
    fork: Effect.runForkWith(yield* Effect.context<never>())
  })
  yield* Effect.addFinalizer(() => Effect.sync(() => session.break("the scope of the session has ended")))
  const remote = connection.remote
  const failed = (reason: "closed" | "timeout", message: string) =>
    new HandshakeFailed({ remote, reason, id: undefined, points: [], message })
  const handshakeMillis = options.handshakeMillis ?? 5_000
  yield* Effect.raceFirst(
    shake(options, session, connection, opening),
    Effect.flatMap(session.closed, ({ kind, message }) =>
      kind === "malformed"
        ? Effect.fail(new HandshakeFailed({ remote, reason: "malformed", id: undefined, points: [], message }))
        : Effect.fail(failed("closed", message)))
  ).pipe(
    Effect.timeoutOrElse({
      duration: handshakeMillis,
      orElse: () => Effect.fail(failed("timeout", `no handshake within ${handshakeMillis} ms`))
    })
  )
  return session
})

/** The protocol as a value. */
export const syntheticProtocol = (options: SyntheticProtocolOptions): ChainProtocol["Service"] => ({
  name: "synthetic",
  chainId: options.chain ?? "synthetic",
  ownId: options.id,
  rules: options.rules ?? syntheticRules,
  open: (connection, opening): Effect.Effect<PeerSession, HandshakeFailed, Scope.Scope> =>
    openSession(options, connection, opening)
})

/** The protocol as a layer. */
export const syntheticProtocolLayer = (options: SyntheticProtocolOptions): Layer.Layer<ChainProtocol> =>
  Layer.succeed(ChainProtocol)(syntheticProtocol(options))

/** What a peer does with a request: its replies, in order. */
export type Answering = (request: Request, session: SyntheticSession) => ReadonlyArray<Reply>

/** A peer of tests while it runs. */
export interface SyntheticPeer {
  readonly id: string
  readonly address: Address
  /** `host:port`. */
  readonly point: string
  /** Every request it got, in order, of all connections. */
  readonly asked: ReadonlyArray<Request>
  /** Its open sessions. */
  readonly sessions: ReadonlySet<SyntheticSession>
  /** How its sessions ended, in order. */
  readonly ends: ReadonlyArray<SessionEnd>
  /** Heads and other answers that it was told. */
  readonly told: ReadonlyArray<{ readonly kind: string; readonly header?: HeaderFacts }>
}

/** Replies of a peer that holds the main chain up to a level (default: all) and hides nothing. */
export const honestAnswers = (
  chain: SyntheticChain,
  topLevel = (): number => chain.head.header.level
): (request: Request) => ReadonlyArray<Reply> => {
  const held = (id: BlockId) => {
    const block = chain.find(id)
    return block !== undefined && block.header.level <= topLevel() ? block : undefined
  }
  return (request) => {
    const head = chain.at(topLevel()).header
    switch (request.kind) {
      case "get-branch":
        return [{ kind: "branch", chain: { head, lowestLevel: 0, idAt: (level) => chain.at(level).header.id } }]
      case "get-head":
        return [{ kind: "head", header: head }]
      case "get-headers":
        return request.ids.flatMap((id) => {
          const block = held(id)
          return block === undefined ? [] : [{ kind: "header", header: block.header }]
        })
      case "get-ancestor": {
        const block = held(request.of) === undefined ? undefined : chain.ancestor(request.of, request.offset)
        return block === undefined
          ? []
          : [{ kind: "ancestor", of: request.of, offset: request.offset, header: block.header }]
      }
      case "get-units":
        return request.items.flatMap(({ block, unit }) => {
          const units = held(block)?.units ?? []
          return unit >= 0 && unit < units.length ? [{ kind: "unit", block, unit, units }] : []
        })
      case "get-peers":
        return [{ kind: "peers", points: [] }]
      case "swap-request":
        return []
    }
  }
}

/**
 * A peer in the surrounding scope that listens at `at` and answers by `answering`. It accepts everybody, serves each request when it comes, and keeps
 * what it was asked.
 */
export const syntheticPeer = Effect.fnUntraced(function*(
  options: SyntheticProtocolOptions,
  at: Address,
  answering: Answering
): Effect.fn.Return<SyntheticPeer, ListenError, Transport | Scope.Scope> {
  const transport = yield* Transport
  const asked: Array<Request> = []
  const told: Array<{ readonly kind: string; readonly header?: HeaderFacts }> = []
  const sessions = new Set<SyntheticSession>()
  const ends: Array<SessionEnd> = []
  const serve = (connection: Connection) =>
    Effect.gen(function*() {
      const session = yield* openSession(options, connection, {
        side: "incoming",
        dialled: undefined,
        accept: () => undefined
      })
      sessions.add(session)
      session.receive((message) => {
        if (message.kind !== "request") {
          told.push(message)
          return true
        }
        asked.push(message.request)
        const replies = answering(message.request, session)
        if (replies.length > 0) session.tell(replies)
        return true
      })
      ends.push(yield* session.closed)
      sessions.delete(session)
    }).pipe(Effect.scoped, Effect.ignore)
  const { address } = yield* transport.listen(at, serve)
  return { id: options.id, address, point: `${address.host}:${address.port}`, asked, sessions, ends, told }
})
