/**
 * Peers come and go: a place in the header DAG for each, and everything that hangs on one that left goes to others (5.4 PeerConnected and
 * PeerDisconnected; A37).
 */
import type { SyncEvent } from "../../contract/ChainSync.ts"
import type { Ending } from "../../contract/Connections.ts"
import type { BodyRequests } from "./BodyRequests.ts"
import type { Branches } from "./Branches.ts"
import type { Electors } from "./Electors.ts"
import type { HeaderRequests } from "./HeaderRequests.ts"
import { PeerState } from "./PeerState.ts"
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

export interface LifecycleParts {
  readonly core: SyncCore
  readonly targets: Targets
  readonly requests: HeaderRequests
  readonly bodies: BodyRequests
  readonly branches: Branches
  readonly electors: Electors
}

export class PeerLifecycle {
  private readonly parts: LifecycleParts
  private readonly freeSlots: Array<number> = []

  /** Identities that were greylisted or banned in this run: nobody waits for them. */
  private readonly left = new Set<string>()

  constructor(parts: LifecycleParts) {
    this.parts = parts
    for (let slot = parts.core.options.connections.maxPeers - 1; slot >= 0; slot--) this.freeSlots.push(slot)
    parts.core.dismiss = (peer, reason, greylist) => this.dismiss(peer, reason, greylist)
  }

  get leftForCause(): number {
    return this.left.size
  }

  connected(event: Extract<SyncEvent, { kind: "connected" }>): void {
    const { core } = this.parts
    const slot = this.freeSlots.pop()
    const named = event.point !== undefined && core.connections.isNamed(event.point)
    const active = {
      peer: event.peer,
      id: event.id,
      point: event.point,
      side: event.side,
      named,
      score: core.standing.joined(event.id)
    }
    if (slot === undefined || !core.connections.connected(active, core.now)) {
      if (slot !== undefined) this.freeSlots.push(slot)
      core.emit({ kind: "disconnect", peer: event.peer, reason: "no place for this connection" })
      return
    }
    this.left.delete(event.id)
    const peer = new PeerState(core, { ...event, slot })
    core.peers.set(event.peer, peer)
    this.parts.electors.dirty = true
    core.notice({ kind: "peer-up", peer: event.id, point: event.point, side: event.side })
  }

  closed({ expected, malformed, message, peer: number }: Extract<SyncEvent, { kind: "closed" }>): void {
    const peer = this.parts.core.peers.get(number)
    if (peer === undefined) return
    if (malformed) {
      this.parts.core.blame(peer, "malformed", "connection", message)
      return
    }
    this.remove(peer, { kind: expected === true ? "expected" : "lost", message }, message)
  }

  dismiss(peer: PeerState, reason: string, greylist: { readonly longest: boolean } | undefined): void {
    if (this.parts.core.peers.get(peer.peer) !== peer) return
    this.parts.core.emit({ kind: "disconnect", peer: peer.peer, reason })
    const ending: Ending = greylist === undefined
      ? { kind: "expected", message: reason }
      : { kind: "greylisted", message: reason, longest: greylist.longest }
    this.remove(peer, ending, reason)
  }

  /** Everything that hangs on a peer goes with it; what it was asked goes to others (5.4 PeerDisconnected). */
  private remove(peer: PeerState, ending: Ending, reason: string): void {
    const { bodies, branches, core, requests, targets } = this.parts
    core.peers.delete(peer.peer)
    targets.release(peer)
    core.dag.setElector(peer.slot, undefined)
    core.dag.removePeer(peer.slot)
    this.freeSlots.push(peer.slot)
    requests.released(peer)
    bodies.released(peer)
    branches.leftAside.delete(peer.id)
    core.connections.ended(peer.peer, ending, core.now)
    if (ending.kind === "greylisted") this.left.add(peer.id)
    this.parts.electors.dirty = true
    core.dagDirty = true
    core.notice({ kind: "peer-down", peer: peer.id, reason })
  }

  ban(name: string, reason: string): void {
    const { core } = this.parts
    core.connections.ban(name, reason, core.now)
    this.left.add(name)
    for (const peer of core.peers.values()) {
      if (peer.id === name || peer.point === name) this.dismiss(peer, `banned: ${reason}`, undefined)
    }
  }
}
