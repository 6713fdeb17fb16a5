/** One TCP socket as a `Connection`. Reading stops at the kernel when the consumer pauses; writes of one turn go out together. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Net from "node:net"
import { type CloseReason, type Connection, ConnectionClosed } from "../contract/Transport.ts"
import { Inbox } from "../engine/Inbox.ts"

type Resume = (effect: Effect.Effect<void, ConnectionClosed>) => void

export class TcpConnection implements Connection {
  readonly remote: string
  readonly closed: Effect.Effect<CloseReason>
  private readonly socket: Net.Socket
  private readonly inbox: Inbox
  private readonly ended = Deferred.makeUnsafe<CloseReason>()
  private readonly waitingWrites = new Set<Resume>()
  private reason: CloseReason | undefined
  private corked = false
  private onEnded: (() => void) | undefined

  constructor(socket: Net.Socket, remote: string, side: "dialled" | "accepted") {
    this.socket = socket
    this.remote = remote
    this.closed = Deferred.await(this.ended)
    this.inbox = new Inbox({
      wanted: () => void socket.resume(),
      finished: (reason) => this.finish(reason)
    })
    if (side === "accepted") {
      socket.on("data", (chunk: Uint8Array) => {
        if (!this.inbox.offer(chunk)) socket.pause()
      })
      // Adding a `data` listener does not undo `pauseOnConnect`; reading starts with the consumer.
      socket.pause()
    }
    socket.on("end", () => this.inbox.end({ kind: "end", message: "the other side closed the connection" }))
    socket.on("error", (error) => this.inbox.abort({ kind: "error", message: error.message || String(error) }))
    socket.on("close", () => this.inbox.abort({ kind: "error", message: "the socket was closed" }))
  }

  /** For the dialling side's read callback: `false` stops reading. */
  offer(chunk: Uint8Array): boolean {
    return this.inbox.offer(chunk)
  }

  /** Runs `f` once when the connection has ended. */
  onEnd(f: () => void): void {
    this.onEnded = f
  }

  receive(consumer: (chunk: Uint8Array) => boolean): void {
    this.inbox.receive(consumer)
  }

  resume(): void {
    this.inbox.resume()
  }

  write(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, ConnectionClosed> {
    return Effect.callback<void, ConnectionClosed>((resume) => {
      if (this.reason !== undefined) {
        resume(Effect.fail(this.closedError(this.reason)))
        return
      }
      const last = chunks.length - 1
      if (last < 0) {
        resume(Effect.void)
        return
      }
      this.cork()
      this.waitingWrites.add(resume)
      for (let i = 0; i < last; i++) this.socket.write(chunks[i]!)
      this.socket.write(chunks[last]!, (error) => {
        // On an error, and for writes cut off by `destroy`, `finish` answers with what ended the connection.
        if (error || !this.waitingWrites.delete(resume)) return
        resume(Effect.void)
      })
    })
  }

  close(reason: string): void {
    this.inbox.abort({ kind: "local", message: reason })
  }

  /** Holds the writes of this turn back, so that small ones of several fibers leave in one system call. */
  private cork(): void {
    if (this.corked) return
    this.corked = true
    this.socket.cork()
    process.nextTick(() => {
      this.corked = false
      this.socket.uncork()
    })
  }

  private finish(reason: CloseReason): void {
    this.reason = reason
    this.socket.destroy()
    const failure = Effect.fail(this.closedError(reason))
    for (const resume of this.waitingWrites) resume(failure)
    this.waitingWrites.clear()
    this.onEnded?.()
    Deferred.doneUnsafe(this.ended, Effect.succeed(reason))
  }

  private closedError(reason: CloseReason): ConnectionClosed {
    return new ConnectionClosed({ remote: this.remote, reason: `${reason.kind}: ${reason.message}` })
  }
}
