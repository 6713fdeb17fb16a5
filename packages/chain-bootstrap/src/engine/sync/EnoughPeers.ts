/**
 * Peers that must be connected before anything new is begun. All of `minPeers` at first; when some cannot be reached for a while, or were left for
 * good reason, more than two thirds of them, so that a dead peer stops nobody and a minority alone never decides.
 */
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { PeerLifecycle } from "./PeerLifecycle.ts"
import type { SyncCore } from "./SyncCore.ts"

export class EnoughPeers {
  private readonly core: SyncCore
  private readonly lifecycle: PeerLifecycle
  private belowSinceMillis: number | undefined

  constructor(core: SyncCore, lifecycle: PeerLifecycle) {
    this.core = core
    this.lifecycle = lifecycle
  }

  /** The run begins without any. */
  begin(): void {
    this.belowSinceMillis = this.core.now
  }

  /** We were not there for a while. */
  postpone(millis: number): void {
    if (this.belowSinceMillis !== undefined) this.belowSinceMillis += millis
  }

  get required(): number {
    const { core } = this
    const { minPeers } = core.options.connections
    if (core.active >= minPeers) {
      this.belowSinceMillis = undefined
      return minPeers
    }
    this.belowSinceMillis ??= core.now
    const enough = Math.min(minPeers, Math.max(core.options.minQuorumPeers, Math.floor((2 * minPeers) / 3) + 1))
    const until = this.belowSinceMillis + ChainLimits.connectGraceMillis
    if (core.now >= until) return enough
    core.wakeBy(until)
    return Math.max(enough, minPeers - this.lifecycle.leftForCause)
  }
}
