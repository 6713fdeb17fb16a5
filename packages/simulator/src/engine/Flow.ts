/**
 * One direction of a simulated connection: writers wait for room in a window, pieces travel for as long as the link says, the
 * receiver takes them when it wants them. Loss-free and in order, as TCP is; a stalled link delays, a silent one swallows.
 *
 * ```
 *   write ─► waiting ─► window: [on the wire, by due time] ─► [arrived] ─► taken
 *                       └──────── unconsumed ≤ windowBytes ────────┘
 * ```
 */
import { type CloseReason, copyBytes, FaultLine } from "@peerstrap/transport"
import type { LinkState } from "./Link.ts"
import type { EventHandle, Scheduler } from "./Scheduler.ts"

interface WaitingWrite {
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly settle: (accepted: boolean) => void
  index: number
  offset: number
}

/** Who takes what arrives. */
export interface FlowReceiver {
  arrived(): void
  ended(reason: CloseReason): void
}

export class Flow {
  private readonly scheduler: Scheduler
  private readonly link: LinkState
  private readonly label: string
  private readonly windowBytes: number
  private readonly wire: FaultLine
  private readonly receiver: FlowReceiver
  private arrivedChunks: Array<Uint8Array> = []
  private waiting: Array<WaitingWrite> = []
  private unconsumed = 0
  private arrival: EventHandle | undefined
  private closed = false
  private lost = false

  constructor(options: {
    readonly scheduler: Scheduler
    readonly link: LinkState
    readonly label: string
    readonly windowBytes: number
    readonly seed: number
    readonly receiver: FlowReceiver
  }) {
    this.scheduler = options.scheduler
    this.link = options.link
    this.label = options.label
    this.windowBytes = options.windowBytes
    this.wire = new FaultLine(options.seed)
    this.receiver = options.receiver
  }

  /** Bytes sent and not yet consumed. */
  get bytes(): number {
    return this.unconsumed
  }

  get readable(): boolean {
    return this.arrivedChunks.length > 0
  }

  /** `settle(true)` when all of it is in the window, `settle(false)` when it never will be. */
  write(chunks: ReadonlyArray<Uint8Array>, settle: (accepted: boolean) => void): void {
    if (this.closed) {
      settle(false)
      return
    }
    this.waiting.push({ chunks, settle, index: 0, offset: 0 })
    this.admit()
  }

  /** The next chunk that has arrived. */
  take(): Uint8Array | undefined {
    const chunk = this.arrivedChunks.shift()
    if (chunk === undefined) return undefined
    this.unconsumed -= chunk.length
    this.admit()
    return chunk
  }

  /** The sender finishes: what is in the window still travels, and the end behind it; waiting writes are refused. */
  end(reason: CloseReason): void {
    if (this.closed) return
    this.closed = true
    this.refuseWrites()
    if (this.swallows()) return
    this.wire.end(reason, this.scheduler.now, this.link.shape)
    this.schedule()
  }

  /** The receiver has gone: what arrives is dropped. The sender is not told; its window fills up, as over a real network. */
  abandon(): void {
    this.wire.clear()
    this.arrivedChunks = []
    this.arrival?.cancel()
    this.arrival = undefined
  }

  /** Looks at the link again: it may have been healed or stalled. */
  relink(): void {
    this.schedule()
  }

  private admit(): void {
    while (this.waiting.length > 0) {
      const write = this.waiting[0]!
      while (write.index < write.chunks.length && this.unconsumed < this.windowBytes) {
        const chunk = write.chunks[write.index]!
        const length = Math.min(chunk.length - write.offset, this.windowBytes - this.unconsumed)
        if (length > 0) this.send(chunk, write.offset, write.offset + length)
        write.offset += length
        if (write.offset < chunk.length) break
        write.index++
        write.offset = 0
      }
      if (write.index < write.chunks.length) return
      this.waiting.shift()
      write.settle(true)
    }
  }

  private send(chunk: Uint8Array, start: number, end: number): void {
    if (this.swallows()) return
    this.unconsumed += end - start
    this.wire.push(copyBytes(chunk, start, end), this.scheduler.now, this.link.shape)
    this.schedule()
  }

  /** Once something was lost, nothing that follows may arrive: a byte stream has no holes. */
  private swallows(): boolean {
    if (this.link.silent) this.lost = true
    return this.lost
  }

  private schedule(): void {
    const next = this.wire.peek()
    if (this.link.stalled || next === undefined) {
      this.arrival?.cancel()
      this.arrival = undefined
      return
    }
    this.arrival ??= this.scheduler.at(next.dueMillis, () => this.arrive(), { label: this.label })
  }

  private arrive(): void {
    this.arrival = undefined
    for (;;) {
      const next = this.wire.peek()
      if (next === undefined || next.dueMillis > this.scheduler.now) break
      this.wire.take()
      if (next.kind === "bytes") this.arrivedChunks.push(next.bytes)
      else if (next.kind === "end") this.receiver.ended(next.reason)
    }
    this.schedule()
    this.receiver.arrived()
  }

  private refuseWrites(): void {
    const writes = this.waiting
    this.waiting = []
    for (const write of writes) write.settle(false)
  }
}
