/** One connection of a scripted peer: shakes hands, asks like a real node, answers, records and audits. */
import type { Connection } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { handshake, type HandshakeOptions } from "../adapter/Session.ts"
import { decodePeerMessage } from "../codec/PeerMessageReader.ts"
import { encodePeerMessage } from "../codec/PeerMessageWriter.ts"
import { Malformed } from "../contract/Malformed.ts"
import type { MessageName, PeerMessage } from "../contract/Messages.ts"
import type { HandshakeError, Session } from "../contract/Session.ts"
import { PeerAudit } from "./PeerAudit.ts"
import type { PeerBehaviours } from "./PeerBehaviours.ts"
import type { PeerRecord } from "./PeerRecord.ts"
import type { Asker, PeerReplies } from "./PeerReplies.ts"
import type { PeerView } from "./PeerView.ts"

export interface PeerContext {
  readonly options: Omit<HandshakeOptions, "side" | "accept">
  readonly view: PeerView
  readonly replies: PeerReplies
  readonly record: PeerRecord
  readonly behaviours: () => PeerBehaviours
  /** Whether to ask each peer for its branch at once, as nodes do. */
  readonly asks: boolean
  readonly points: () => ReadonlyArray<string>
  readonly observe: ((connection: number, message: PeerMessage, direction: "in" | "out") => void) | undefined
}

const asked: Partial<Record<MessageName, MessageName>> = {
  CurrentBranch: "GetCurrentBranch",
  BlockHeader: "GetBlockHeaders",
  OperationsForBlocks: "GetOperationsForBlocks",
  PredecessorHeader: "GetPredecessorHeader",
  Operation: "GetOperations",
  Protocol: "GetProtocols",
  ProtocolBranch: "GetProtocolBranch",
  Advertise: "Bootstrap"
}

export class PeerConnection {
  readonly asker: Asker
  private readonly session: Session
  private readonly context: PeerContext
  private readonly fork: (effect: Effect.Effect<unknown>) => unknown
  private readonly clock: Clock.Clock
  private readonly audit: PeerAudit
  private readonly requested = new Set<MessageName>()
  private answers = 0

  constructor(
    connection: number,
    session: Session,
    context: PeerContext,
    clock: Clock.Clock,
    fork: (effect: Effect.Effect<unknown>) => unknown
  ) {
    const ownId = context.options.identity.peerId
    this.session = session
    this.context = context
    this.clock = clock
    this.fork = fork
    this.asker = { connection, ownId, peerId: session.remote.peerId, active: false }
    const { chain } = context.view
    const disablesMempool = context.options.metadata?.disableMempool ?? true
    this.audit = new PeerAudit(
      context.options.crypto,
      { chain, ownId, remote: session.remote, disablesMempool },
      (rule, detail) => context.record.violated({ connection, atMillis: this.nowMillis, rule, detail })
    )
  }

  start(): void {
    this.session.receive((body) => {
      this.frame(body)
      return true
    })
    if (this.context.asks && !this.context.behaviours().has("silent")) {
      this.send([{ _tag: "GetCurrentBranch", chainId: this.context.view.chain.chainId }])
    }
    const unsolicited = this.context.behaviours().get("unsolicited")
    if (unsolicited !== undefined) this.fork(this.chatter(unsolicited.millis))
  }

  /** Says what its head is, as a node does that has a new one. */
  announce(kind: "head" | "branch"): void {
    const { connection, ownId, peerId } = this.asker
    if (!this.asker.active || this.context.behaviours().has("silent")) return
    const { view } = this.context
    this.send([kind === "head" ? view.currentHead(connection) : view.currentBranch(connection, ownId, peerId)])
  }

  send(messages: ReadonlyArray<PeerMessage>): void {
    if (messages.length === 0) return
    const bodies = messages.map((message) => {
      this.context.record.sent(message._tag)
      this.context.observe?.(this.asker.connection, message, "out")
      this.requested.add(message._tag)
      return encodePeerMessage(message)
    })
    this.sendFrames(bodies)
  }

  /** Frames as they are, right or wrong. */
  sendFrames(bodies: ReadonlyArray<Uint8Array>): void {
    if (!this.session.offer(bodies)) this.fork(Effect.ignore(this.session.send(bodies)))
  }

  close(reason: string): void {
    this.session.close(reason)
  }

  private get nowMillis(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  private frame(body: Uint8Array): void {
    const { context } = this
    const { connection } = this.asker
    const atMillis = this.nowMillis
    this.audit.framing(this.session.counters.framesInsideChunks)
    const message = decodePeerMessage(body)
    if (message instanceof Malformed) {
      const rule = /at most|limit|more than/.test(message.message) ? "too-many-items" : "undecodable"
      context.record.violated({ connection, atMillis, rule, detail: `${message.what}: ${message.message}` })
      this.session.close(`undecodable: ${message.message}`)
      return
    }
    context.record.got({ connection, atMillis, message })
    context.observe?.(connection, message, "in")
    this.audit.message(message, atMillis)
    const request = asked[message._tag]
    if (request !== undefined && !this.requested.has(request)) this.audit.unrequested(message._tag)
    if (message._tag === "Disconnect") this.session.close("the peer said Disconnect")
    else this.answer(context.replies.answer(message, this.asker))
  }

  private answer(answers: ReadonlyArray<PeerMessage>): void {
    const behaviours = this.context.behaviours()
    const stall = behaviours.get("stall")
    const allowed = stall === undefined ? answers : answers.slice(0, Math.max(0, stall.replies - this.answers))
    this.answers += allowed.length
    const slow = behaviours.get("slow")
    if (slow === undefined) this.send(allowed)
    else if (allowed.length > 0) {
      this.fork(Effect.andThen(Effect.sleep(slow.millis), Effect.sync(() => this.send(allowed))))
    }
    const closing = behaviours.get("close-after")
    if (closing !== undefined && this.answers >= closing.replies) {
      this.fork(Effect.map(this.session.drained, () => this.session.close("closed by the script")))
    }
  }

  /** A header that nobody asked for, again and again. */
  private readonly chatter = (millis: number): Effect.Effect<void> =>
    Effect.forever(Effect.andThen(
      Effect.sleep(millis),
      Effect.sync(() => {
        const { view } = this.context
        const header = view.chosen?.header ?? view.chain.genesis.header
        this.send([{ _tag: "BlockHeader", header }])
      })
    )).pipe(Effect.raceFirst(Effect.asVoid(this.session.closed)))
}

/** Shakes hands on a connection and serves it until it ends. */
export const servePeer: (
  connection: Connection,
  side: "initiator" | "responder",
  number: number,
  context: PeerContext,
  opened: (peer: PeerConnection) => () => void
) => Effect.Effect<Session, HandshakeError, Scope.Scope> = Effect.fnUntraced(
  function*(connection, side, number, context, opened) {
    const clock = yield* Clock.Clock
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    const nack = context.behaviours().get("nack")
    const session = yield* handshake(connection, {
      ...context.options,
      side,
      accept: () => nack === undefined ? undefined : { motive: nack.motive, points: context.points() }
    })
    const peer = new PeerConnection(number, session, context, clock, fork)
    const closed = opened(peer)
    yield* Effect.forkScoped(Effect.map(session.closed, closed))
    // A scope that ends with its session may end before that fiber has its turn.
    yield* Effect.addFinalizer(() => Effect.sync(closed))
    peer.start()
    return session
  }
)
