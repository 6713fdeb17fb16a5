/** One end of a simulated connection, with callbacks: the plain counterpart of the transport's `Connection`. */
import { type CloseReason, Inbox } from "@peerstrap/transport"
import type { Flow } from "./Flow.ts"

/** What a delivered chunk is overwritten with, so that a consumer that keeps it is found out. */
const overwritten = 0xdd

const endedByPeer: CloseReason = { kind: "end", message: "the other side closed the connection" }

/** One end of a simulated connection. */
export class Endpoint {
  readonly node: string
  /** The name of the other side: `node:port`, or `node:0` on the accepting side. */
  readonly remote: string
  private readonly inbox: Inbox
  private readonly closeListeners: Array<(reason: CloseReason) => void> = []
  private inbound: Flow | undefined
  private outbound: Flow | undefined
  private reasonNow: CloseReason | undefined
  private ending: CloseReason | undefined

  constructor(node: string, remote: string) {
    this.node = node
    this.remote = remote
    this.inbox = new Inbox({
      wanted: () => this.deliver(),
      finished: (reason) => this.finish(reason)
    })
  }

  /** Why it ended; undefined while it is up. */
  get reason(): CloseReason | undefined {
    return this.reasonNow
  }

  connect(inbound: Flow, outbound: Flow): void {
    this.inbound = inbound
    this.outbound = outbound
  }

  receive(consumer: (chunk: Uint8Array) => boolean): void {
    this.inbox.receive(consumer)
  }

  resume(): void {
    this.inbox.resume()
  }

  /** `settle(undefined)` when all is on its way; otherwise with what ended the connection. */
  write(chunks: ReadonlyArray<Uint8Array>, settle: (ended: CloseReason | undefined) => void): void {
    if (this.reasonNow !== undefined) {
      settle(this.reasonNow)
      return
    }
    this.outbound!.write(chunks, (accepted) => settle(accepted ? undefined : this.reasonNow ?? endedByPeer))
  }

  close(reason: string): void {
    this.inbox.abort({ kind: "local", message: reason })
  }

  /** Ends at once with an error. */
  reset(message: string): void {
    this.inbox.abort({ kind: "error", message })
  }

  /** Called once, when the connection has ended; at once when it already has. */
  onClosed(listener: (reason: CloseReason) => void): void {
    if (this.reasonNow !== undefined) listener(this.reasonNow)
    else this.closeListeners.push(listener)
  }

  /** Hands over what has arrived, as long as it is wanted. */
  deliver(): void {
    while (this.inbox.wants && this.inbound!.readable) {
      const chunk = this.inbound!.take()!
      this.inbox.offer(chunk)
      chunk.fill(overwritten)
    }
    if (this.ending !== undefined && !this.inbound!.readable) this.inbox.end(this.ending)
  }

  /** The other side has ended; behind what has arrived. */
  ended(reason: CloseReason): void {
    this.ending = reason
  }

  private finish(reason: CloseReason): void {
    this.reasonNow = reason
    this.inbound!.abandon()
    this.outbound!.end(endedByPeer)
    for (const listener of this.closeListeners.splice(0)) listener(reason)
  }
}
