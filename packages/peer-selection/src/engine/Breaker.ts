/**
 * Circuit breaker of one peer, over calls of all kinds.
 *
 *   closed ──fault──► open (until its rest is over) ──time──► half-open: one call as a probe ──it succeeds──► closed
 *                       ▲                                              └──it fails: open, longer──┐
 *                       └────────────────────────────────────────────────────────────────────────┘
 *
 * What opened it must work again: a listing that comes proves nothing about batches that are cut off, except that the peer is there.
 */
import type { BreakerState, FailureKind } from "../contract/PeerQueues.ts"

export class Breaker {
  private isOpen = false
  private openedBy: "batch" | "call" = "batch"
  private kind: FailureKind | undefined
  private probing: "batch" | "call" | undefined

  get isClosed(): boolean {
    return !this.isOpen
  }

  stateAt(isResting: boolean): BreakerState {
    if (!this.isOpen) return "closed"
    return isResting ? "open" : "half-open"
  }

  /** Whether one more call may leave as far as the breaker is concerned. */
  admits(isResting: boolean): boolean {
    return !this.isOpen || !isResting && this.probing === undefined
  }

  /** A call leaves; while the breaker is half-open it is the probe. */
  left(by: "batch" | "call"): void {
    if (this.isOpen) this.probing = by
  }

  /** It is over, whatever it came to. */
  landed(by: "batch" | "call"): void {
    if (this.probing === by) this.probing = undefined
  }

  opened(by: "batch" | "call", kind: FailureKind): void {
    // Batches have the last word: what was cut off there is not proved by a listing.
    if (!this.isOpen || by === "batch") this.openedBy = by
    this.isOpen = true
    this.kind = kind
  }

  /** A call succeeded. Returns whether the breaker is closed now. */
  succeeded(by: "batch" | "call"): boolean {
    const isProof = by === "batch" || this.openedBy === "call" || this.kind === "unreachable" ||
      this.kind === "not-ready"
    if (isProof) this.isOpen = false
    return !this.isOpen
  }
}
