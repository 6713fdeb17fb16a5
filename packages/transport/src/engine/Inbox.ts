/**
 * The receiving half of a connection: one consumer, pause and resume, bytes that came too early, and the end of the
 * stream as the last thing delivered. Shared by all transports so that they agree on the order of these things.
 *
 * ```
 *   idle ──receive──► flowing ◄──resume── paused        each of them ──abort──► finished
 *                        │  └──consumer returns false──►┘
 *                        └──end reached──► finished
 * ```
 */
import type { CloseReason } from "../contract/Transport.ts"
import { copyBytes } from "./copyBytes.ts"

/** What an `Inbox` needs from whoever fills it. */
export interface InboxSource {
  /** The inbox wants bytes again. Called on `receive` and `resume`, never from within `offer`. */
  wanted(): void
  /** Nothing more will be delivered. Called once. */
  finished(reason: CloseReason): void
}

/** Delivers what arrives to one consumer, with pauses. */
export class Inbox {
  private readonly source: InboxSource
  private consumer: ((chunk: Uint8Array) => boolean) | undefined
  private held: Array<Uint8Array> = []
  private heldBytesNow = 0
  private paused = false
  private delivering = false
  private resumedWhileDelivering = false
  private ending: CloseReason | undefined
  private done = false

  constructor(source: InboxSource) {
    this.source = source
  }

  /** Whether a chunk offered now would reach the consumer at once. */
  get wants(): boolean {
    return this.consumer !== undefined && !this.paused && !this.delivering && !this.done && this.ending === undefined &&
      this.held.length === 0
  }

  get isFinished(): boolean {
    return this.done
  }

  /** Bytes copied because they came while the consumer was absent, paused or busy. */
  get heldBytes(): number {
    return this.heldBytesNow
  }

  /**
   * Delivers a chunk, or keeps a copy of it for later. Returns whether more is wanted; after `false` the source should
   * stop until `wanted` is called, since everything offered until then is copied and held.
   */
  offer(chunk: Uint8Array): boolean {
    if (this.done || this.ending !== undefined) return false
    if (chunk.length === 0) return this.wants
    if (!this.wants) {
      this.held.push(copyBytes(chunk))
      this.heldBytesNow += chunk.length
      return false
    }
    this.deliver(chunk)
    this.drain()
    return this.wants
  }

  /** Installs the consumer. A second call throws: two consumers would each see half of the bytes. */
  receive(consumer: (chunk: Uint8Array) => boolean): void {
    if (this.consumer !== undefined) throw new Error("Connection.receive: a consumer is already installed")
    this.consumer = consumer
    this.drain()
    if (this.wants) this.source.wanted()
  }

  /** Ends a pause. Called from within the consumer, it takes back the pause which that call may be about to ask for. */
  resume(): void {
    if (this.delivering) {
      this.resumedWhileDelivering = true
      return
    }
    if (!this.paused) return
    this.paused = false
    this.drain()
    if (this.wants) this.source.wanted()
  }

  /** The stream ends in order, after everything held. Waits for a consumer that is absent or paused. */
  end(reason: CloseReason): void {
    if (this.done || this.ending !== undefined) return
    this.ending = reason
    this.drain()
  }

  /** Ends at once and drops what is held; the consumer is not called again. */
  abort(reason: CloseReason): void {
    if (this.done) return
    this.done = true
    this.held = []
    this.heldBytesNow = 0
    this.source.finished(reason)
  }

  private deliver(chunk: Uint8Array): void {
    this.delivering = true
    this.resumedWhileDelivering = false
    try {
      const more = this.consumer!(chunk)
      if (!more && !this.resumedWhileDelivering) this.paused = true
    } catch (defect) {
      this.abort({ kind: "error", message: `the consumer of this connection threw: ${String(defect)}` })
    } finally {
      this.delivering = false
    }
  }

  private drain(): void {
    if (this.consumer === undefined || this.delivering) return
    let next = 0
    while (next < this.held.length && !this.paused && !this.done) {
      const chunk = this.held[next++]!
      this.heldBytesNow -= chunk.length
      this.deliver(chunk)
    }
    if (next > 0 && !this.done) this.held = this.held.slice(next)
    if (this.ending !== undefined && !this.paused && !this.done && this.held.length === 0) this.abort(this.ending)
  }
}
