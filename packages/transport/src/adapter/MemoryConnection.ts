/** The two ends of an in-process connection over two `BoundedPipe`s. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type CloseReason, type Connection, ConnectionClosed } from "../contract/Transport.ts"
import { BoundedPipe } from "../engine/BoundedPipe.ts"
import { Inbox } from "../engine/Inbox.ts"

const overwritten = 0xdd
const endedByPeer: CloseReason = { kind: "end", message: "the other side closed the connection" }

export class MemoryConnection implements Connection {
  readonly remote: string
  readonly closed: Effect.Effect<CloseReason>
  private readonly inbound: BoundedPipe
  private readonly outbound: BoundedPipe
  private readonly defer: (task: () => void) => void
  private readonly inbox: Inbox
  private readonly ended = Deferred.makeUnsafe<CloseReason>()
  private peer: MemoryConnection | undefined
  private reason: CloseReason | undefined
  private deliveryDue = false
  private onEnded: (() => void) | undefined

  constructor(remote: string, inbound: BoundedPipe, outbound: BoundedPipe, defer: (task: () => void) => void) {
    this.remote = remote
    this.inbound = inbound
    this.outbound = outbound
    this.defer = defer
    this.closed = Deferred.await(this.ended)
    this.inbox = new Inbox({
      wanted: () => this.deliverSoon(),
      finished: (reason) => this.finish(reason)
    })
  }

  /** Runs `f` once when the connection has ended. */
  onEnd(f: () => void): void {
    this.onEnded = f
  }

  /** Joins the two ends. */
  join(peer: MemoryConnection): void {
    this.peer = peer
  }

  receive(consumer: (chunk: Uint8Array) => boolean): void {
    this.inbox.receive(consumer)
  }

  resume(): void {
    this.inbox.resume()
  }

  write(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, ConnectionClosed> {
    return Effect.callback<void, ConnectionClosed>((resume) => {
      this.outbound.write(chunks, (accepted) => resume(accepted ? Effect.void : Effect.fail(this.closedError())))
      this.peer!.deliverSoon()
    })
  }

  close(reason: string): void {
    this.inbox.abort({ kind: "local", message: reason })
  }

  /** Asks for a delivery in a later turn; once, however often it is asked for. */
  deliverSoon(): void {
    if (this.deliveryDue || this.reason !== undefined) return
    this.deliveryDue = true
    this.defer(() => {
      this.deliveryDue = false
      this.deliver()
    })
  }

  private deliver(): void {
    // At most what was in the window at the start, so that a fast pair does not starve the others.
    let budget = this.inbound.bytes
    while (this.inbox.wants && this.inbound.readable && budget > 0) {
      const chunk = this.inbound.take()!
      budget -= chunk.length
      this.inbox.offer(chunk)
      chunk.fill(overwritten)
    }
    if (this.inbound.atEnd) this.inbox.end(endedByPeer)
    else if (this.inbox.wants && this.inbound.readable) this.deliverSoon()
  }

  private finish(reason: CloseReason): void {
    this.reason = reason
    this.outbound.end()
    this.inbound.break()
    this.peer!.deliverSoon()
    this.onEnded?.()
    Deferred.doneUnsafe(this.ended, Effect.succeed(reason))
  }

  private closedError(): ConnectionClosed {
    const reason = this.reason ?? endedByPeer
    return new ConnectionClosed({ remote: this.remote, reason: `${reason.kind}: ${reason.message}` })
  }
}

/** Two joined ends: the dialling side, which sees `remote`, and the accepting side, which sees `dialler`. */
export const memoryPair = (
  remote: string,
  dialler: string,
  windowBytes: number,
  defer: (task: () => void) => void
): readonly [MemoryConnection, MemoryConnection] => {
  const there = new BoundedPipe(windowBytes)
  const back = new BoundedPipe(windowBytes)
  const near = new MemoryConnection(remote, back, there, defer)
  const far = new MemoryConnection(dialler, there, back, defer)
  near.join(far)
  far.join(near)
  return [near, far]
}
