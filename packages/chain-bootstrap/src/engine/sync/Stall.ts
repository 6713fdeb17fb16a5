/**
 * A run that does not move: fresh branches first, then other peers, then a report with numbers; the quorum is never lowered (A38, R116).
 */
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

export class Stall {
  private readonly core: SyncCore
  private readonly targets: Targets
  private step = 0
  private sinceMillis = 0

  constructor(core: SyncCore, targets: Targets) {
    this.core = core
    this.targets = targets
  }

  /** Time since the last progress, or since the last step of the escalation; a step is taken when timers are looked at. */
  look(timers: boolean): void {
    const { core } = this
    const { stuck } = core.options.timers
    if (core.status !== "unsynced" || core.lastProgressMillis > this.sinceMillis) {
      this.step = 0
      this.sinceMillis = core.status === "unsynced" ? core.lastProgressMillis : core.now
    }
    const due = this.sinceMillis + stuck
    if (core.now < due || !timers) return core.wakeBy(Math.max(core.now, due))
    this.sinceMillis = core.now
    core.wakeBy(core.now + stuck)
    this.escalate()
  }

  private escalate(): void {
    const { core } = this
    const seconds = Math.round(core.options.timers.stuck / 1000)
    const reason = `no progress for ${seconds} s above level ${core.frontier.level}`
    const step = this.step++ % 3
    if (step === 1) {
      core.notice({ kind: "stuck", reason, escalation: "rotate" })
      return this.rotate()
    }
    core.notice({ kind: "stuck", reason, escalation: step === 0 ? "refresh" : "report" })
    this.targets.byId.clear()
    for (const peer of core.peers.values()) peer.branchWanted = true
  }

  /** The worst third makes room for others; nobody is blamed for it. */
  private rotate(): void {
    const { core } = this
    const known = core.connections.known(core.now).filter((point) => point.status === "idle").length
    const peers = [...core.peers.values()].toSorted((a, b) =>
      core.standing.score(a.id) - core.standing.score(b.id) || (a.claimed?.level ?? -1) - (b.claimed?.level ?? -1)
    )
    for (const peer of peers.slice(0, Math.min(known, Math.floor(peers.length / 3)))) {
      core.dismiss(peer, "makes room for another peer after a stall", undefined)
    }
  }
}
