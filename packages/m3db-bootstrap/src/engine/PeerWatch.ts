/** Tells when peers go out of reach and come back, and when their breakers open, half-open and close. */
import type { BreakerState } from "@peerstrap/peer-selection"
import { isHopeless, type RunScope } from "./RunScope.ts"

export interface PeerChanges {
  /** Waiting work may go on, or merges have to look again at whom they wait for. */
  readonly any: boolean
  readonly isBack: boolean
}

export class PeerWatch {
  private readonly scope: RunScope
  private readonly hopeless: Array<boolean>
  private readonly breakers: Array<BreakerState>

  constructor(scope: RunScope) {
    this.scope = scope
    this.hopeless = scope.options.peers.map(() => false)
    this.breakers = scope.options.peers.map(() => "closed")
  }

  look(): PeerChanges {
    let any = false
    let isBack = false
    for (let peer = 0; peer < this.hopeless.length; peer++) {
      if (this.noticeBreaker(peer)) any = true
      const hopeless = isHopeless(this.scope, peer)
      if (hopeless === this.hopeless[peer]) continue
      this.hopeless[peer] = hopeless
      any = true
      if (!hopeless) isBack = true
      const { id, lastFailureMessage } = this.scope.queues.state(peer)
      this.note(hopeless ? "peer-out-of-reach" : "peer-back", { peer: id, cause: lastFailureMessage ?? "" })
    }
    return { any, isBack }
  }

  /** True when a timeout opened it: merges do not wait for that peer's copies any more. */
  private noticeBreaker(peer: number): boolean {
    const { now, queues } = this.scope
    const breaker = queues.breaker(peer, now)
    if (breaker === this.breakers[peer]) return false
    this.breakers[peer] = breaker
    const { id, lastFailure, lastFailureMessage, restUntilMillis } = queues.state(peer)
    if (breaker === "closed") this.note("breaker-closed", { peer: id })
    else {
      const forMillis = Math.max(0, restUntilMillis - now)
      this.note(breaker === "open" ? "breaker-opened" : "breaker-half-open", {
        peer: id,
        cause: lastFailureMessage ?? "",
        forMillis
      })
    }
    return breaker === "open" && lastFailure === "timeout"
  }

  private note(name: string, fields: Readonly<Record<string, unknown>>): void {
    this.scope.emit({ _tag: "note", name, fields })
  }
}
