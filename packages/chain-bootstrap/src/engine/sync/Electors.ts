/**
 * Who counts, up to which level, and whether the run is segmented or anchored (A8, A9, A10, A14, A16). A peer that has not told its branch counts
 * against every quorum; one that is known not to hold our chain counts on neither side of a segmented run.
 */
import type { SyncCore } from "./SyncCore.ts"

export class Electors {
  private readonly core: SyncCore
  dirty = true

  constructor(core: SyncCore) {
    this.core = core
  }

  refresh(): void {
    if (!this.dirty) return
    this.dirty = false
    const { core } = this
    const counted = new Set(core.connections.counted())
    for (const peer of core.peers.values()) {
      peer.counted = counted.has(peer.peer)
      const apart = core.mode === "segmented" && peer.anchored === false
      const level = peer.claimed === undefined ? Infinity : peer.claimed.level - core.rules.finality
      core.dag.setElector(peer.slot, peer.counted && !apart ? level : undefined)
    }
    core.dagDirty = true
  }

  /** A peer whose branch does not name our chain holds it all the same when what it names above is linked to it by headers. */
  anchorLinked(): void {
    const { core } = this
    for (const peer of core.peers.values()) {
      if (peer.anchored !== false) continue
      const entry = peer.earliestAbove(core.frontier.level, 1)[0]
      const node = entry === undefined ? -1 : core.dag.find(core.idBytes(entry.id))
      if (node < 0 || !core.dag.hasHeader(node) || !core.dag.connected(node)) continue
      peer.anchored = true
      this.dirty = true
    }
    this.refresh()
  }

  /**
   * Segmented when two thirds of those that have told their branch hold our chain; decided between segments only, when more than two thirds have
   * told. Returns whether the mode changed.
   */
  decideMode(): boolean {
    const { core } = this
    const counted = core.countedPeers()
    const told = counted.filter((peer) => peer.branch !== undefined)
    if (3 * told.length <= 2 * counted.length) return false
    const anchored = told.filter((peer) => peer.anchored === true).length
    const wanted = core.options.mode !== "auto"
      ? core.options.mode
      : 3 * anchored >= 2 * told.length
      ? "segmented"
      : "anchored"
    if (wanted === core.mode) return false
    core.mode = wanted
    this.dirty = true
    const reason = core.options.mode === "auto" ? `${anchored} of ${told.length} peers hold our chain` : "as told"
    core.notice({ kind: "mode", mode: wanted, reason })
    return true
  }
}
