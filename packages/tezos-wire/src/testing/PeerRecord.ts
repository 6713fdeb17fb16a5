/** What a scripted peer has seen: every message it received, what it sent, and every rule that was broken. */
import type { MessageName, PeerMessage } from "../contract/Messages.ts"

/** Messages kept; older ones are forgotten, their counts are not. */
const maxKept = 50_000

/** One message that a scripted peer received, and when, ms. */
export interface ReceivedMessage {
  /** Number of the connection, from 1. */
  readonly connection: number
  readonly atMillis: number
  readonly message: PeerMessage
}

/** One rule that was broken towards a scripted peer. */
export interface Violation {
  readonly connection: number
  readonly atMillis: number
  /** As `throttle:GetCurrentBranch`, `too-many-items`, `pass-out-of-range`. */
  readonly rule: string
  readonly detail: string
}

/** Counts of connections and messages of a scripted peer. */
export interface PeerStats {
  readonly connections: number
  readonly openConnections: number
  readonly failedHandshakes: number
  readonly received: ReadonlyArray<ReceivedMessage>
  readonly receivedByName: Readonly<Partial<Record<MessageName, number>>>
  readonly sentByName: Readonly<Partial<Record<MessageName, number>>>
  readonly violations: ReadonlyArray<Violation>
}

export class PeerRecord {
  connections = 0
  openConnections = 0
  failedHandshakes = 0
  private received: Array<ReceivedMessage> = []
  private readonly receivedByName: Partial<Record<MessageName, number>> = {}
  private readonly sentByName: Partial<Record<MessageName, number>> = {}
  private readonly violations: Array<Violation> = []

  got(entry: ReceivedMessage): void {
    if (this.received.length >= maxKept) this.received = this.received.slice(maxKept >> 1)
    this.received.push(entry)
    const name = entry.message._tag
    this.receivedByName[name] = (this.receivedByName[name] ?? 0) + 1
  }

  sent(name: MessageName): void {
    this.sentByName[name] = (this.sentByName[name] ?? 0) + 1
  }

  violated(violation: Violation): void {
    if (this.violations.length < maxKept) this.violations.push(violation)
  }

  stats(): PeerStats {
    const { connections, failedHandshakes, openConnections } = this
    return {
      connections,
      openConnections,
      failedHandshakes,
      received: [...this.received],
      receivedByName: { ...this.receivedByName },
      sentByName: { ...this.sentByName },
      violations: [...this.violations]
    }
  }
}
