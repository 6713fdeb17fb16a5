/** Sealed bytes on their way to a connection: written in the order in which they were put, in batches, by one write at a time. */
import type { Connection } from "@peerstrap/transport"
import * as Effect from "effect/Effect"

export class Outbox {
  /** Bytes that have been put and not yet been written. */
  queuedBytes = 0
  bytesOut = 0
  private readonly connection: Connection
  private readonly fork: (effect: Effect.Effect<unknown>) => unknown
  private readonly onRoom: () => void
  private queue: Array<Uint8Array> = []
  private writing = false
  private ended = false
  private idle: Array<() => void> = []

  /** `onRoom` is called after each write. */
  constructor(connection: Connection, fork: (effect: Effect.Effect<unknown>) => unknown, onRoom: () => void) {
    this.connection = connection
    this.fork = fork
    this.onRoom = onRoom
  }

  put(bytes: Uint8Array): void {
    if (this.ended) return
    this.queue.push(bytes)
    this.queuedBytes += bytes.length
    this.write()
  }

  /** Completes when everything put has been handed to the operating system, or never will be. */
  readonly drained: Effect.Effect<void> = Effect.callback<void>((resume) => {
    if (this.queuedBytes === 0 || this.ended) resume(Effect.void)
    else this.idle.push(() => resume(Effect.void))
  })

  /** Forgets what waits. */
  end(): void {
    this.ended = true
    this.queue = []
    this.queuedBytes = 0
    this.wake()
  }

  private write(): void {
    if (this.writing || this.queue.length === 0) return
    this.writing = true
    const batch = this.queue
    this.queue = []
    const bytes = batch.reduce((sum, each) => sum + each.length, 0)
    this.fork(Effect.match(this.connection.write(batch), {
      onFailure: () => this.end(),
      onSuccess: () => this.written(bytes)
    }))
  }

  private written(bytes: number): void {
    this.writing = false
    this.bytesOut += bytes
    if (this.ended) return
    this.queuedBytes -= bytes
    this.write()
    this.onRoom()
    if (this.queuedBytes === 0) this.wake()
  }

  private wake(): void {
    const waiting = this.idle
    this.idle = []
    for (const each of waiting) each()
  }
}
