/** The moving part of a session: a `WireSession` on a connection, with its outbox, its waiting senders and its end. */
import type { ByteLedger, CloseReason, Connection } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import {
  HandshakeError,
  type RemotePeer,
  type Session,
  SessionClosed,
  type SessionCounters,
  type SessionEnd,
  type SessionFault
} from "../contract/Session.ts"
import { SessionLimits } from "../contract/SessionLimits.ts"
import type { HandshakeOutcome, HandshakeSetup } from "../engine/Handshake.ts"
import { WireSession } from "../engine/WireSession.ts"
import { Outbox } from "./Outbox.ts"

export interface LiveOptions {
  readonly fork: (effect: Effect.Effect<unknown>) => unknown
  readonly ledger: ByteLedger | undefined
  readonly maxQueuedBytes: number
}

interface WaitingSend {
  readonly bodies: ReadonlyArray<Uint8Array>
  readonly resume: (result: Effect.Effect<void, SessionClosed>) => void
}

type Unshaken = Exclude<HandshakeOutcome, { kind: "established" }>

const unknown = { fault: "unknown", motive: undefined, points: [], proof: "" } as const

const errorOf = (remote: string, outcome: Unshaken): HandshakeError => {
  const base = { ...unknown, remote, message: `${remote}: ${outcome.message}` }
  if (outcome.kind === "nacked") {
    return new HandshakeError({ ...base, reason: "nacked", motive: outcome.motive, points: outcome.points })
  }
  if (outcome.kind === "refused") return new HandshakeError({ ...base, reason: "refused", motive: outcome.motive })
  const fault = outcome.reason === "self" ? "self" : "peer"
  return new HandshakeError({ ...base, reason: outcome.reason, fault, proof: outcome.proof })
}

export class LiveSession implements Session {
  readonly address: string
  readonly closed: Effect.Effect<SessionEnd>
  private readonly connection: Connection
  private readonly options: LiveOptions
  private readonly wire: WireSession
  private readonly outbox: Outbox
  private readonly shaken = Deferred.makeUnsafe<Session, HandshakeError>()
  private readonly ending = Deferred.makeUnsafe<SessionEnd>()
  private peer: RemotePeer | undefined
  /** Why there is no session, when the handshake itself says so. */
  private failure: HandshakeError | undefined
  private ended: SessionEnd | undefined
  private waiting: Array<WaitingSend> = []
  private retrying = false

  constructor(connection: Connection, setup: HandshakeSetup, options: LiveOptions) {
    this.address = connection.remote
    this.connection = connection
    this.options = options
    this.closed = Deferred.await(this.ending)
    this.outbox = new Outbox(connection, options.fork, () => this.sendWaiting())
    this.wire = new WireSession(setup, {
      send: (bytes) => this.outbox.put(bytes),
      onHandshake: (outcome) => this.handshaken(outcome),
      onFault: (fault) => this.faulty(fault)
    }, options.ledger)
  }

  get remote(): RemotePeer {
    return this.peer!
  }

  get connectionMessages(): { readonly sent: Uint8Array; readonly received: Uint8Array } {
    return { sent: this.wire.handshake.sent, received: this.wire.handshake.received }
  }

  get counters(): SessionCounters {
    return {
      bytesIn: this.wire.bytesIn,
      bytesOut: this.outbox.bytesOut,
      framesIn: this.wire.framesIn,
      framesInsideChunks: this.wire.framesInsideChunks,
      framesOut: this.wire.framesOut
    }
  }

  get queuedBytes(): number {
    return this.outbox.queuedBytes
  }

  get drained(): Effect.Effect<void> {
    return this.outbox.drained
  }

  start(): void {
    this.wire.start()
    this.connection.receive((chunk) => this.afterwards(this.wire.push(chunk)))
    this.options.fork(Effect.map(this.connection.closed, (reason) => this.connectionEnded(reason)))
  }

  /** The session once hands are shaken. */
  established(timeoutMillis: number): Effect.Effect<Session, HandshakeError> {
    return Deferred.await(this.shaken).pipe(Effect.timeoutOrElse({
      duration: timeoutMillis,
      orElse: () => {
        const message =
          `${this.address}: the handshake took longer than ${timeoutMillis} ms; the option is timeoutMillis`
        this.close(message)
        return Effect.fail(new HandshakeError({ ...unknown, remote: this.address, reason: "timeout", message }))
      }
    }))
  }

  send(bodies: ReadonlyArray<Uint8Array>): Effect.Effect<void, SessionClosed> {
    return Effect.callback<void, SessionClosed>((resume) => {
      if (this.ended !== undefined) return resume(Effect.fail(this.closedError(this.ended)))
      if (this.offer(bodies)) return resume(Effect.void)
      const one: WaitingSend = { bodies, resume }
      this.waiting.push(one)
      return Effect.sync(() => {
        this.waiting = this.waiting.filter((each) => each !== one)
      })
    })
  }

  offer(bodies: ReadonlyArray<Uint8Array>): boolean {
    if (this.ended !== undefined || this.waiting.length > 0 || !this.hasRoom) return false
    this.seal(bodies)
    return true
  }

  receive(onFrame: (body: Uint8Array) => boolean): void {
    if (this.afterwards(this.wire.receive(onFrame))) this.connection.resume()
  }

  resume(): void {
    if (this.ended === undefined && this.afterwards(this.wire.resume())) this.connection.resume()
  }

  close(reason: string): void {
    this.finish({ kind: "local", message: reason })
  }

  private get hasRoom(): boolean {
    return this.outbox.queuedBytes < this.options.maxQueuedBytes
  }

  private seal(bodies: ReadonlyArray<Uint8Array>): void {
    if (bodies.length > 0) this.outbox.put(this.wire.seal(bodies))
  }

  private sendWaiting(): void {
    while (this.waiting.length > 0 && this.hasRoom && this.ended === undefined) {
      const { bodies, resume } = this.waiting.shift()!
      try {
        this.seal(bodies)
        resume(Effect.void)
      } catch (defect) {
        resume(Effect.die(defect))
      }
    }
  }

  /** While the ledger refuses, asks it again from time to time; nobody tells when memory is free. */
  private afterwards(more: boolean): boolean {
    if (this.wire.waitsForMemory && !this.retrying) {
      this.retrying = true
      this.options.fork(Effect.map(Effect.sleep(SessionLimits.memoryRetryMillis), () => {
        this.retrying = false
        if (this.ended === undefined && this.afterwards(this.wire.retry())) this.connection.resume()
      }))
    }
    return more
  }

  private handshaken(outcome: HandshakeOutcome): void {
    if (outcome.kind === "established") {
      this.peer = outcome.remote
      Deferred.doneUnsafe(this.shaken, Effect.succeed(this))
      return
    }
    this.failure = errorOf(this.address, outcome)
    if (outcome.kind !== "refused") {
      this.finish(
        outcome.kind === "failed" && outcome.reason !== "self"
          ? { kind: "malformed", message: outcome.message }
          : { kind: "local", message: outcome.message }
      )
      return
    }
    // A connection that is closed with bytes unread is reset, and a reset may overtake the Nack.
    this.options.fork(
      this.outbox.drained.pipe(
        Effect.andThen(Effect.timeoutOption(this.closed, SessionLimits.nackLingerMillis)),
        Effect.map(() => {
          this.finish({ kind: "local", message: outcome.message })
        })
      )
    )
  }

  private faulty(fault: SessionFault): void {
    this.finish(
      fault.what === "memory budget"
        ? { kind: "local", message: fault.message }
        : { kind: "malformed", message: fault.message, proof: fault }
    )
  }

  private connectionEnded({ kind, message }: CloseReason): void {
    const midway = kind !== "local" && this.wire.midway
    this.finish({ kind, message: midway ? `${message}, in the middle of a chunk or frame` : message })
  }

  private finish(end: SessionEnd): void {
    if (this.ended !== undefined) return
    this.ended = end
    this.wire.end()
    this.outbox.end()
    this.connection.close(end.message)
    const waiting = this.waiting
    this.waiting = []
    for (const { resume } of waiting) resume(Effect.fail(this.closedError(end)))
    Deferred.doneUnsafe(
      this.shaken,
      Effect.fail(
        this.failure ?? new HandshakeError({
          ...unknown,
          remote: this.address,
          reason: "closed",
          message: `${this.address}: the connection ended during the handshake (${end.kind}): ${end.message}`
        })
      )
    )
    Deferred.doneUnsafe(this.ending, Effect.succeed(end))
  }

  private closedError(end: SessionEnd): SessionClosed {
    return new SessionClosed({ remote: this.address, reason: `${end.kind}: ${end.message}` })
  }
}
