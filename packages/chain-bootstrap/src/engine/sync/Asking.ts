/**
 * A round of requests: branches of everybody; bodies and headers of those that can have them, bodies first, because the applier waits for them
 * (5.5.2, 5.5.6; R78, R79, R93, A25, A28).
 */
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { AncestorRequests } from "./AncestorRequests.ts"
import type { BodyRequests } from "./BodyRequests.ts"
import type { Branches } from "./Branches.ts"
import type { HeaderRequests } from "./HeaderRequests.ts"
import type { PeerState } from "./PeerState.ts"
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

export interface AskingParts {
  readonly core: SyncCore
  readonly targets: Targets
  readonly branches: Branches
  readonly bodies: BodyRequests
  readonly requests: HeaderRequests
  readonly ancestors: AncestorRequests
}

export class Asking {
  private readonly parts: AskingParts

  constructor(parts: AskingParts) {
    this.parts = parts
  }

  /** `working`: enough peers are there to begin something new. */
  round(working: boolean): void {
    const { branches, core } = this.parts
    for (const peer of core.peers.values()) branches.ask(peer)
    if (!working) return
    this.forBodies()
    if (core.mode === undefined) return
    for (const peer of core.peers.values()) if (peer.branch !== undefined) this.forHeaders(peer)
  }

  /** Everybody a fair share first; what is left goes to whoever has room. */
  private forBodies(): void {
    const { bodies, core } = this.parts
    core.refreshLowestNamed()
    bodies.prepare()
    for (const most of [bodies.share(core.active), Infinity]) {
      for (const peer of core.peers.values()) bodies.fill(peer, this.messagesOut(peer), most)
    }
  }

  private forHeaders(peer: PeerState): void {
    const { ancestors, core, requests, targets } = this.parts
    requests.fill(peer, this.messagesOut(peer))
    ancestors.ask(peer)
    if (peer.nextTickMillis <= core.now) requests.ticked(peer)
    else if (targets.size > 0) core.wakeBy(peer.nextTickMillis)
  }

  private messagesOut(peer: PeerState): number {
    const { core } = this.parts
    const trusted = core.standing.score(peer.id) > ChainLimits.trustedScore
    const full = trusted ? ChainLimits.messagesOutTrusted : ChainLimits.messagesOut
    return core.connections.level === "normal" ? full : Math.max(1, full >> 1)
  }
}
