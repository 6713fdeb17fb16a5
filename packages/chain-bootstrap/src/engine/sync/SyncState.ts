/**
 * Whether we are synced, stuck with all the others, or behind, and why (5.3 P5, 5.9; R6, R17).
 */
import type { SyncStatus } from "../../contract/ChainSync.ts"
import type { SyncCore } from "./SyncCore.ts"

export class SyncState {
  private readonly core: SyncCore
  private levelSinceMillis = 0

  constructor(core: SyncCore) {
    this.core = core
  }

  /** `required`: peers that are needed to begin anything; fewer do not know where the chain ends. */
  update(required: number): void {
    const { core } = this
    const [status, reason] = this.judge(required)
    core.statusReason = reason
    if (status === core.status) return
    core.status = status
    core.progress()
    core.notice({ kind: "status", status, reason })
  }

  private judge(required: number): readonly [SyncStatus, string] {
    const { core } = this
    const counted = core.countedPeers()
    const told = counted.filter((peer) => peer.claimed !== undefined)
    const near = told.filter((peer) => (peer.claimed?.level ?? 0) <= core.head.level + 2)
    // A quorum where there are few: one silent peer must not keep us from being synced.
    const needed = Math.min(core.options.syncedPeers, Math.floor((2 * counted.length) / 3) + 1)
    const level = core.active >= required && near.length >= needed && 3 * near.length > 2 * counted.length &&
      core.chosen.length === 0
    const ageSeconds = core.headFacts === undefined ? Infinity : core.wallMillis / 1000 - core.headFacts.timeSeconds
    const within = core.options.syncedWithinSeconds * (core.status === "synced" ? 2 : 1)
    if (!level) {
      this.levelSinceMillis = core.now
      if (core.status === "synced" && ageSeconds <= within) return ["synced", core.statusReason]
      const ofLevels = `${near.length} of ${counted.length} peers are at our level ${core.head.level}`
      return ["unsynced", this.tooFew(required, counted.length) ?? ofLevels]
    }
    if (ageSeconds <= within) {
      return [
        "synced",
        `head of level ${core.head.level} is ${
          Math.max(0, Math.round(ageSeconds))
        } s old, ${near.length} of ${counted.length} peers are level with it`
      ]
    }
    return this.judgeOldHead(ageSeconds)
  }

  /** The cause that goes before all others, with the option that changes it. */
  private tooFew(required: number, counted: number): string | undefined {
    const { active, options } = this.core
    if (active < required) {
      return `${active} of ${required} needed peers are connected (--min-peers ${options.connections.minPeers})`
    }
    const { minQuorumPeers } = options
    if (counted >= minQuorumPeers) return undefined
    return `${counted} of ${minQuorumPeers} peers that a quorum needs count (--min-quorum-peers ${minQuorumPeers})`
  }

  /** All peers end at our head, and it is old: a halted chain, or a clock that is wrong (Octez calls it stuck). */
  private judgeOldHead(ageSeconds: number): readonly [SyncStatus, string] {
    const { core } = this
    const counted = core.countedPeers()
    const same = counted.filter((peer) => peer.claimed?.id === core.head.id).length
    const settledAt = this.levelSinceMillis + 2 * core.options.timers.branchSpacing
    if (3 * same <= 2 * counted.length || core.head.level === core.start.base.level) {
      return ["unsynced", `head of level ${core.head.level} is ${age(ageSeconds)} old`]
    }
    if (core.status !== "stuck" && core.now < settledAt) {
      core.wakeBy(settledAt)
      return ["unsynced", `head of level ${core.head.level} is ${age(ageSeconds)} old; waiting for newer ones`]
    }
    return [
      "stuck",
      `the chains of ${same} of ${counted.length} peers end at our head of level ${core.head.level}, which is ${
        age(ageSeconds)
      } old: the chain has halted, or our clock is wrong`
    ]
  }
}

const age = (seconds: number): string =>
  !Number.isFinite(seconds)
    ? "of unknown age,"
    : seconds < 7200
    ? `${Math.round(seconds)} s`
    : seconds < 172_800
    ? `${Math.round(seconds / 3600)} h`
    : `${Math.round(seconds / 86_400)} days`
