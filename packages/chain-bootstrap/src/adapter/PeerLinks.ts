/**
 * Connections to peers: dials, accepts, shakes hands, and carries messages between sessions and the engine. One fiber a connection, and one for
 * what is written to it. Bodies draw from the ledger before the engine sees them; without memory a connection is not read.
 */
import { type Address, type ByteLedger, type Connection, type DialError, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import {
  ChainProtocol,
  type HandshakeFailed,
  type OpenOptions,
  type PeerSession,
  type Side
} from "../contract/ChainProtocol.ts"
import type { SyncEvent } from "../contract/ChainSync.ts"
import type { Incoming, Outgoing } from "../contract/PeerMessage.ts"
import { makeRequestQueue, type RequestQueue } from "./RequestQueue.ts"
import { bodyAccount } from "./StoreLane.ts"

/** What the links need of whoever decides. */
export interface LinkOwner {
  readonly tell: (event: SyncEvent) => void
  readonly admits: (id: string, remoteHost: string, side: Side) => ReturnType<OpenOptions["accept"]>
  /** Answers what the peer asks, for as long as the connection lives. */
  readonly serve: (link: PeerLink) => Effect.Effect<void>
  readonly ledger: ByteLedger
}

export interface PeerLink {
  readonly peer: number
  readonly session: PeerSession
  /** Host of the other side, without a port. */
  readonly host: string
  /** What it asks of us. */
  readonly requests: RequestQueue
  /** It asked for our branch: from then on it listens to our heads. */
  active: boolean
  send(messages: ReadonlyArray<Outgoing>): void
  close(reason: string): void
}

/** `host` of `host:port` or `[v6]:port`. */
const hostOf = (remote: string): string => remote.slice(0, remote.lastIndexOf(":")).replace(/^\[|\]$/g, "")

export const addressOf = (point: string): Address => ({
  host: hostOf(point),
  port: Number(point.slice(point.lastIndexOf(":") + 1))
})

const attemptCause = (error: DialError | HandshakeFailed): Extract<SyncEvent, { kind: "attempt-failed" }>["cause"] => {
  if (error._tag === "DialError") return error.fault === "self" ? "local-fault" : "dial-failed"
  switch (error.reason) {
    case "malformed":
      return "malformed"
    case "nacked":
    case "refused":
    case "self":
      return "expected"
    case "closed":
    case "timeout":
      return "dial-failed"
  }
}

export class PeerLinks {
  private readonly owner: LinkOwner
  private readonly scope: Scope.Closeable
  private readonly links = new Map<number, PeerLink>()
  /** Links that wait for memory, with the message that did not fit. */
  private readonly held = new Map<PeerLink, Extract<Incoming, { kind: "unit" }>>()
  private lastPeer = 0

  constructor(owner: LinkOwner, scope: Scope.Closeable) {
    this.owner = owner
    this.scope = scope
  }

  get(peer: number): PeerLink | undefined {
    return this.links.get(peer)
  }

  all(): IterableIterator<PeerLink> {
    return this.links.values()
  }

  /** Dials in a fiber of its own; every outcome is told. */
  dial(point: string): Effect.Effect<void, never, Transport | ChainProtocol> {
    const links = this
    const dialled = Effect.gen(function*() {
      const transport = yield* Transport
      const connection = yield* transport.dial(addressOf(point))
      yield* links.live(connection, "outgoing", point)
    })
    return dialled.pipe(
      Effect.scoped,
      Effect.catch((error) => Effect.sync(() => links.failed(point, error))),
      Effect.forkIn(this.scope),
      Effect.asVoid
    )
  }

  /** What a listener does with a connection. */
  accept(connection: Connection): Effect.Effect<void, never, ChainProtocol> {
    return this.live(connection, "incoming", undefined).pipe(
      Effect.scoped,
      Effect.catch((error) => Effect.sync(() => this.failed(undefined, error)))
    )
  }

  private failed(point: string | undefined, error: DialError | HandshakeFailed): void {
    this.owner.tell({
      kind: "attempt-failed",
      point,
      id: error._tag === "HandshakeFailed" ? error.id : undefined,
      cause: attemptCause(error),
      points: error._tag === "HandshakeFailed" ? error.points : [],
      message: error.message
    })
  }

  private live(connection: Connection, side: Side, dialled: string | undefined) {
    const links = this
    const host = hostOf(connection.remote)
    return Effect.gen(function*() {
      const protocol = yield* ChainProtocol
      const accept = (id: string) => links.owner.admits(id, host, side)
      const session = yield* protocol.open(connection, { side, dialled, accept })
      const outbox = yield* Queue.unbounded<Outgoing>()
      const requests = yield* makeRequestQueue
      const link = links.begin({ session, side, host, dialled, outbox, requests })
      const server = yield* Effect.forkChild(links.owner.serve(link))
      const writer = yield* Effect.forkChild(
        Effect.ignore(Effect.forever(Effect.flatMap(Queue.takeBetween(outbox, 1, 64), (batch) => session.send(batch))))
      )
      const end = yield* session.closed
      yield* Fiber.interruptAll([writer, server])
      links.finish(link, end.kind === "malformed", end.message)
    })
  }

  private begin(parts: {
    readonly session: PeerSession
    readonly side: Side
    readonly host: string
    readonly dialled: string | undefined
    readonly outbox: Queue.Enqueue<Outgoing>
    readonly requests: RequestQueue
  }): PeerLink {
    const { dialled, host, outbox, requests, session, side } = parts
    const link: PeerLink = {
      peer: ++this.lastPeer,
      session,
      host,
      requests,
      active: false,
      send: (messages) => {
        for (const message of messages) Queue.offerUnsafe(outbox, message)
      },
      close: (reason) => session.close(reason)
    }
    this.links.set(link.peer, link)
    const point = dialled ?? session.point
    this.owner.tell({ kind: "connected", peer: link.peer, id: session.id, point, side, ancestors: session.ancestors })
    session.receive((message) => this.received(link, message))
    return link
  }

  private finish(link: PeerLink, malformed: boolean, message: string): void {
    this.links.delete(link.peer)
    this.held.delete(link)
    this.owner.tell({ kind: "closed", peer: link.peer, malformed, message })
  }

  /** False: nothing more is read from this connection until memory is free again. */
  private received(link: PeerLink, message: Incoming): boolean {
    switch (message.kind) {
      case "request":
        if (message.request.kind === "get-branch") link.active = true
        link.requests.offer(message.request)
        return true
      case "unit":
        if (this.owner.ledger.tryReserve(bodyAccount, message.body.length)) {
          this.owner.tell({ kind: "answer", peer: link.peer, answer: message })
          return true
        }
        this.held.set(link, message)
        return false
      default:
        this.owner.tell({ kind: "answer", peer: link.peer, answer: message })
        return true
    }
  }

  /** Memory is free again: what was held is told, and reading goes on. */
  resume(): void {
    for (const [link, message] of this.held) {
      if (!this.owner.ledger.tryReserve(bodyAccount, message.body.length)) return
      this.held.delete(link)
      this.owner.tell({ kind: "answer", peer: link.peer, answer: message })
      link.session.resume()
    }
  }

  closeAll(reason: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (const link of this.links.values()) link.close(reason)
      return Scope.close(this.scope, Exit.void)
    })
  }
}
