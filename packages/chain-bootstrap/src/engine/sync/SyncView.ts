/** The run at a glance: phase, levels, peers, counters and the evidence so far. */
import type { SyncPhase, SyncSnapshot } from "../../contract/ChainSync.ts"
import type { Reorganisation } from "../../contract/Reorganisation.ts"
import type { BodyRequests } from "./BodyRequests.ts"
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

export interface ViewParts {
  readonly core: SyncCore
  readonly targets: Targets
  readonly bodies: BodyRequests
  readonly reorganisation: Reorganisation
  /** Peers needed before anything new is begun. */
  readonly required: number
  readonly nowMillis: number
}

/** With pipelining several phases go on at once: the one nearest to the output is told. */
const phaseOf = ({ core, reorganisation, required, targets }: ViewParts): SyncPhase => {
  if (core.halted !== undefined) return "halt"
  if (reorganisation.busy) return "reorganise"
  if (core.active < required) return "connect"
  if (core.chosen.length > 0) return "operations"
  if (core.status !== "unsynced") return "synced"
  return targets.size > 0 ? "headers" : "branches"
}

export const syncView = (parts: ViewParts): SyncSnapshot => {
  const { bodies, core, targets } = parts
  return {
    phase: phaseOf(parts),
    status: core.status,
    statusReason: core.halted ?? core.statusReason,
    mode: core.mode,
    base: core.start.base,
    head: core.head,
    headTimeSeconds: core.headFacts?.timeSeconds,
    chosen: core.frontier,
    peersLevel: core.peersLevel,
    segments: core.segments,
    targets: targets.size,
    pendingHeaders: core.dag.headers,
    blocksInFlight: bodies.incomplete,
    peers: [...core.peers.values()].map((peer) => ({
      peer: peer.peer,
      id: peer.id,
      point: peer.point,
      side: peer.side,
      score: core.standing.score(peer.id),
      counted: peer.counted,
      anchored: peer.anchored,
      claimedLevel: peer.claimedLevel,
      outstanding: peer.headers.pending + peer.units.pending,
      doNotAsk: peer.headers.doNotAsk + peer.units.doNotAsk
    })),
    known: core.connections.known(parts.nowMillis),
    evidence: core.book.records(),
    blame: core.book.summary(),
    counters: { ...core.counters }
  }
}
