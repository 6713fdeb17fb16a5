/** A connection whose two directions run through `FaultLine`s. The inner connection lives until what was written has left. */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { ConnectionFacts, ConnectionFaults, DirectionFaults } from "../contract/Faults.ts"
import { Limits } from "../contract/Limits.ts"
import { type CloseReason, type Connection, ConnectionClosed } from "../contract/Transport.ts"
import { FaultLine } from "../engine/FaultLine.ts"
import { Inbox } from "../engine/Inbox.ts"

const none: DirectionFaults = {}

export class FaultyConnection implements Connection {
  readonly remote: string
  readonly facts: ConnectionFacts
  readonly closed: Effect.Effect<CloseReason>
  private readonly inner: Connection
  private readonly clock: Clock.Clock
  private readonly faults: () => ConnectionFaults
  private readonly inbox: Inbox
  private readonly arriving: FaultLine
  private readonly leaving: FaultLine
  private readonly ended = Deferred.makeUnsafe<CloseReason>()
  private readonly arrivalsMoved = Latch.makeUnsafe(false)
  private readonly departuresMoved = Latch.makeUnsafe(false)
  private readonly roomToLeave = Latch.makeUnsafe(true)
  private reason: CloseReason | undefined
  private reading = false
  private departing = false
  private onEnded: (() => void) | undefined

  constructor(
    inner: Connection,
    facts: ConnectionFacts,
    faults: () => ConnectionFaults,
    seed: number,
    clock: Clock.Clock
  ) {
    this.inner = inner
    this.facts = facts
    this.remote = inner.remote
    this.faults = faults
    this.clock = clock
    this.closed = Deferred.await(this.ended)
    this.arriving = new FaultLine(seed)
    this.leaving = new FaultLine(seed ^ 0x5bd1e995)
    this.inbox = new Inbox({
      wanted: () => this.read(),
      finished: (reason) => this.finish(reason)
    })
  }

  /** Runs `f` once when the connection has ended on this side. */
  onEnd(f: () => void): void {
    this.onEnded = f
  }

  receive(consumer: (chunk: Uint8Array) => boolean): void {
    this.inbox.receive(consumer)
  }

  resume(): void {
    this.inbox.resume()
  }

  close(reason: string): void {
    this.inbox.abort({ kind: "local", message: reason })
  }

  /** Breaks the connection now, as a reset would. */
  cut(message: string): void {
    this.arriving.clear()
    this.leaving.clear()
    this.inbox.abort({ kind: "error", message })
  }

  write(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, ConnectionClosed> {
    return Effect.suspend(() => {
      if (this.reason !== undefined) return Effect.fail(this.closedError(this.reason))
      const faults = this.faults().outbound
      if (this.leaving.isClear(faults)) {
        for (const chunk of chunks) this.leaving.pass(chunk.length)
        return this.inner.write(chunks)
      }
      const nowMillis = this.clock.currentTimeMillisUnsafe()
      for (const chunk of chunks) this.leaving.push(chunk, nowMillis, faults ?? none)
      if (this.leaving.queuedBytes > Limits.faultyWindowBytes) this.roomToLeave.closeUnsafe()
      this.departuresMoved.openUnsafe()
      return Effect.andThen(
        this.roomToLeave.await,
        Effect.suspend(() => this.reason === undefined ? Effect.void : Effect.fail(this.closedError(this.reason)))
      )
    })
  }

  private watchInner(): Effect.Effect<void> {
    return Effect.map(this.inner.closed, (reason) => {
      this.arriving.end(reason, this.clock.currentTimeMillisUnsafe(), this.faults().inbound ?? none)
      this.arrivalsMoved.openUnsafe()
    })
  }

  private arrive(piece: Uint8Array): Effect.Effect<void> {
    this.inbox.offer(piece)
    if (this.arriving.queuedBytes < Limits.faultyWindowBytes / 2) this.inner.resume()
    return Effect.void
  }

  private depart(piece: Uint8Array): Effect.Effect<void> {
    this.departing = true
    return Effect.ensuring(
      Effect.ignore(this.inner.write([piece])),
      Effect.sync(() => {
        this.departing = false
        if (this.leaving.queuedBytes <= Limits.faultyWindowBytes / 2) this.roomToLeave.openUnsafe()
      })
    )
  }

  private readonly arrivals = Effect.suspend(() =>
    this.pump(this.arriving, this.arrivalsMoved, (piece) => this.arrive(piece), () => this.inbox.wants)
  )

  private readonly departures = Effect.andThen(
    Effect.suspend(() => this.pump(this.leaving, this.departuresMoved, (piece) => this.depart(piece), () => true)),
    Effect.sync(() => this.inner.close(this.reason?.message ?? "closed"))
  )

  /** Waits for pieces, for their time, and for `ready`; ends with the connection, once nothing is left to move. */
  private readonly pump = Effect.fnUntraced({ self: this }, function*(
    line: FaultLine,
    moved: Latch.Latch,
    pass: (piece: Uint8Array) => Effect.Effect<void>,
    ready: () => boolean
  ) {
    for (;;) {
      const next = line.peek()
      if (next === undefined || (next.kind === "bytes" && !ready())) {
        if (next === undefined && this.reason !== undefined) return
        moved.closeUnsafe()
        yield* moved.await
        continue
      }
      const waitMillis = next.dueMillis - this.clock.currentTimeMillisUnsafe()
      if (waitMillis > 0) {
        yield* this.clock.sleep(Duration.millis(waitMillis))
        continue
      }
      line.take()
      if (next.kind === "bytes") yield* pass(next.bytes)
      else if (next.kind === "end") this.inbox.end(next.reason)
      else this.cut(`connection reset after ${next.afterBytes} bytes (injected fault)`)
    }
  })

  /** Moves the pieces that are under way until the inner connection has ended. To be run in a fiber. */
  readonly run: Effect.Effect<void> = Effect.suspend(() =>
    Effect.all([this.watchInner(), this.arrivals, this.departures], { concurrency: "unbounded", discard: true })
  )

  private read(): void {
    this.arrivalsMoved.openUnsafe()
    if (this.reading) {
      if (this.arriving.queuedBytes < Limits.faultyWindowBytes) this.inner.resume()
      return
    }
    this.reading = true
    this.inner.receive((chunk) => this.arrived(chunk))
  }

  private arrived(chunk: Uint8Array): boolean {
    const faults = this.faults().inbound
    if (this.arriving.isClear(faults)) {
      this.arriving.pass(chunk.length)
      return this.inbox.offer(chunk)
    }
    this.arriving.push(chunk, this.clock.currentTimeMillisUnsafe(), faults ?? none)
    this.arrivalsMoved.openUnsafe()
    return this.arriving.queuedBytes < Limits.faultyWindowBytes
  }

  private finish(reason: CloseReason): void {
    this.reason = reason
    this.arriving.clear()
    this.arrivalsMoved.openUnsafe()
    this.departuresMoved.openUnsafe()
    this.roomToLeave.openUnsafe()
    this.onEnded?.()
    if (this.leaving.isEmpty && !this.departing) this.inner.close(reason.message)
    // Last: those who wait for the end may run at once.
    Deferred.doneUnsafe(this.ended, Effect.succeed(reason))
  }

  private closedError(reason: CloseReason): ConnectionClosed {
    return new ConnectionClosed({ remote: this.remote, reason: `${reason.kind}: ${reason.message}` })
  }
}
