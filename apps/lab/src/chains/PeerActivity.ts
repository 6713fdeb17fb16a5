/** What a peer has seen so far, in numbers: who came, what was asked and answered, which rules of real nodes its clients broke. Pure. */
import type { PeerStats } from "@peerstrap/tezos-wire/testing"

export interface PeerActivity {
  readonly id: number
  readonly connections: number
  readonly openConnections: number
  readonly failedHandshakes: number
  /** Messages by name. */
  readonly received: Readonly<Partial<Record<string, number>>>
  readonly sent: Readonly<Partial<Record<string, number>>>
  /** Broken rules, and how often each. */
  readonly violations: Readonly<Record<string, number>>
  /** The first of them in words. */
  readonly firstViolation: string | null
}

export const peerActivity = (id: number, stats: PeerStats): PeerActivity => {
  const violations: Record<string, number> = {}
  for (const { rule } of stats.violations) violations[rule] = (violations[rule] ?? 0) + 1
  const first = stats.violations[0]
  return {
    id,
    connections: stats.connections,
    openConnections: stats.openConnections,
    failedHandshakes: stats.failedHandshakes,
    received: stats.receivedByName,
    sent: stats.sentByName,
    violations,
    firstViolation: first === undefined ? null : `${first.rule}: ${first.detail}`
  }
}
