/**
 * Connections to peers: dials, accepts, shakes hands, and carries messages between sessions and the engine. One fiber a connection, one for what
 * is written to it, one that answers its requests. A defect in any of them ends that connection and no other.
 */
import { type Address, type Connection, type DialError, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { ChainLimits } from "../contract/ChainLimits.ts"
import { ChainProtocol, type HandshakeFailed, type OpenOptions, type Side } from "../contract/ChainProtocol.ts"
import type { SyncEvent } from "../contract/ChainSync.ts"
import { type Inflow, type InflowOwner, makeInflow } from "./Inflow.ts"
import { makePeerLink, type PeerLink } from "./PeerLink.ts"

/** What the links need of whoever decides. */
export interface LinkOwner {
  readonly tell: (event: SyncEvent) => void
  readonly admits: (id: string, remoteHost: string, side: Side) => ReturnType<OpenOptions["accept"]>
  /** Answers what the peer asks, for as long as the connection lives. */
  readonly serve: (link: PeerLink) => Effect.Effect<void>
  /** What happens to answers; undefined: nobody asks, so that answers are dropped. */
  readonly inflow: InflowOwner | undefined
}

/** `host` of `host:port` or `[v6]:port`. */
const hostOf = (remote: string): string => remote.slice(0, remote.lastIndexOf(":")).replace(/^\[|\]$/g, "")

export const addressOf = (point: string): Address => ({
  host: hostOf(point),
  port: Number(point.slice(point.lastIndexOf(":") + 1))
})

type AttemptFailed = Extract<SyncEvent, { kind: "attempt-failed" }>

const attemptCause = (error: DialError | HandshakeFailed): AttemptFailed["cause"] => {
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
  private readonly inflow: Inflow | undefined
  private lastPeer = 0

  constructor(owner: LinkOwner, scope: Scope.Closeable) {
    this.owner = owner
    this.scope = scope
    this.inflow = owner.inflow === undefined ? undefined : makeInflow(owner.inflow, owner.tell)
  }

  get(peer: number): PeerLink | undefined {
    return this.links.get(peer)
  }

  all(): IterableIterator<PeerLink> {
    return this.links.values()
  }

  /** Dials in a fiber of its own; every outcome is told. */
  dial(point: string): Effect.Effect<void, never, Transport | ChainProtocol> {
    const dialled = Effect.gen({ self: this }, function*() {
      const transport = yield* Transport
      const connection = yield* transport.dial(addressOf(point))
      yield* this.live(connection, "outgoing", point)
    })
    return Effect.asVoid(Effect.forkIn(this.attempt(dialled, point), this.scope))
  }

  /** What a listener does with a connection. */
  accept(connection: Connection): Effect.Effect<void, never, ChainProtocol> {
    return this.attempt(this.live(connection, "incoming", undefined), undefined)
  }

  private attempt<R>(
    effect: Effect.Effect<void, DialError | HandshakeFailed, R | Scope.Scope>,
    point: string | undefined
  ): Effect.Effect<void, never, Exclude<R, Scope.Scope>> {
    const failed = (
      id: string | undefined,
      cause: AttemptFailed["cause"],
      points: ReadonlyArray<string>,
      message: string
    ) => this.owner.tell({ kind: "attempt-failed", point, id, cause, points, message })
    return effect.pipe(
      Effect.scoped,
      Effect.catch((error) =>
        Effect.sync(() => {
          const [id, points] = error._tag === "HandshakeFailed" ? [error.id, error.points] : [undefined, []]
          failed(id, attemptCause(error), points, error.message)
        })
      ),
      Effect.catchDefect((defect) =>
        Effect.andThen(
          Effect.logError("an attempt to connect ended by a defect of ours", point ?? "incoming", defect),
          Effect.sync(() => failed(undefined, "local-fault", [], `a defect of ours: ${String(defect)}`))
        )
      )
    )
  }

  private live(connection: Connection, side: Side, dialled: string | undefined) {
    const host = hostOf(connection.remote)
    return Effect.gen({ self: this }, function*() {
      const protocol = yield* ChainProtocol
      const accept = (id: string) => this.owner.admits(id, host, side)
      const session = yield* protocol.open(connection, { side, dialled, accept })
      const link = yield* makePeerLink(++this.lastPeer, session, host)
      yield* Effect.acquireUseRelease(
        Effect.sync(() => this.begin(link, side, dialled ?? session.point)),
        () =>
          Effect.gen({ self: this }, function*() {
            yield* Effect.forkChild(endsWith(link, link.writes))
            yield* Effect.forkChild(endsWith(link, this.owner.serve(link)))
            return yield* session.closed
          }),
        (_, exit) => Effect.sync(() => this.finish(link, exit))
      )
    })
  }

  private begin(link: PeerLink, side: Side, point: string | undefined): void {
    const { peer, session } = link
    this.links.set(peer, link)
    this.owner.tell({ kind: "connected", peer, id: session.id, point, side, ancestors: session.ancestors })
    session.receive((message) => {
      if (message.kind !== "request") return this.inflow?.answered(link, message) ?? true
      if (message.request.kind === "get-branch") link.active = true
      link.requests.offer(message.request)
      return true
    })
  }

  /** By a session's own end, or interrupted: then we closed it. */
  private finish(link: PeerLink, exit: Exit.Exit<{ readonly kind: string; readonly message: string }>): void {
    const { kind, message } = Exit.isSuccess(exit) ? exit.value : { kind: "local", message: "we stop" }
    this.links.delete(link.peer)
    this.inflow?.forget(link)
    const expected = kind === "farewell" || kind === "local"
    this.owner.tell({ kind: "closed", peer: link.peer, malformed: kind === "malformed", expected, message })
  }

  /** Whether some connection is not read because a body waits for memory. */
  get waitsForMemory(): boolean {
    return this.inflow?.waitsForMemory ?? false
  }

  /** The engine has taken an answer of this peer. */
  taken(peer: number): void {
    const link = this.links.get(peer)
    if (link !== undefined) this.inflow?.taken(link)
  }

  /** Reading goes on where it may: memory was given back, answers were taken, or the store has caught up. */
  resume(): void {
    this.inflow?.resume()
  }

  /** Says farewell to all; who does not take it within the time is cut off. */
  closeAll(reason: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const open = [...this.links.values()]
      for (const link of open) link.close(reason)
      const ended = Effect.forEach(open, ({ session }) => session.closed, { concurrency: "unbounded", discard: true })
      return Effect.andThen(
        Effect.timeoutOption(ended, ChainLimits.farewellMillis),
        Scope.close(this.scope, Exit.void)
      )
    })
  }
}

/** The connection does not outlive what it needs. */
const endsWith = (link: PeerLink, effect: Effect.Effect<unknown>): Effect.Effect<void> =>
  effect.pipe(
    Effect.asVoid,
    Effect.catchDefect((defect) =>
      Effect.andThen(
        Effect.logError("a connection ended by a defect of ours", link.session.id, defect),
        Effect.sync(() => link.close(`a defect of ours: ${String(defect)}`))
      )
    )
  )
