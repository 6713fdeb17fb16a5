/**
 * GetPredecessorHeader: splits the long gaps beneath a chain with quorum, so that more descents run side by side (R92, 5.11). The answer is a hint:
 * only the hash chain from above proves that it belongs there. Few nodes answer, and none has to.
 */
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { HeaderIntake } from "./HeaderIntake.ts"
import type { PeerState } from "./PeerState.ts"
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

/** The present target and the levels from which descents start beneath it, ascending. */
interface Plan {
  readonly top: BlockId
  readonly level: number
  readonly starts: Array<number>
  /** No gap is long enough any more. */
  exhausted: boolean
}

export class AncestorRequests {
  private readonly core: SyncCore
  private readonly targets: Targets
  private readonly intake: HeaderIntake
  private plan: Plan | undefined = undefined

  constructor(core: SyncCore, targets: Targets, intake: HeaderIntake) {
    this.core = core
    this.targets = targets
    this.intake = intake
  }

  /** Asks this peer for a header in the middle of the longest gap, when there is one worth a request that is allowed every 10 s only. */
  ask(peer: PeerState): void {
    const { core } = this
    if (core.mode !== "anchored" || !peer.ancestors || peer.ancestor !== undefined) return
    const allowed = peer.throttle.mayAt("ancestor", core.now)
    if (allowed > core.now) {
      if (this.plan !== undefined) core.wakeBy(allowed)
      return
    }
    const plan = this.present()
    if (plan === undefined || plan.exhausted) return
    const node = core.dag.find(core.idBytes(plan.top))
    if (node < 0 || !core.dag.hasSupport(node, peer.slot)) return
    const middle = longestGap(plan)
    if (middle === undefined) {
      plan.exhausted = true
      return
    }
    plan.starts.splice(plan.starts.findIndex((level) => level > middle), 0, middle)
    const offset = plan.level - middle
    const deadlineMillis = core.now + core.options.timers.ancestor
    peer.throttle.sent("ancestor", core.now)
    peer.ancestor = { of: plan.top, offset, level: middle, deadlineMillis }
    core.wakeBy(deadlineMillis)
    core.ask(peer, { kind: "get-ancestor", of: plan.top, offset })
  }

  answered(peer: PeerState, of: BlockId, offset: number, header: HeaderFacts): void {
    const { core } = this
    const asked = peer.ancestor
    const subject = `block ${core.show(of)} − ${offset}`
    if (asked === undefined || asked.of !== of || asked.offset !== offset) {
      if (!peer.lateAncestors.delete(`${of}~${offset}`)) {
        core.blame(peer, "never-asked", subject, "sent a predecessor header that it was never asked for")
      }
      return
    }
    peer.ancestor = undefined
    if (header.level !== asked.level) {
      core.blame(peer, "bad-header", subject, `sent a header of level ${header.level}, ${asked.level} is so far below`)
      return
    }
    core.credit(peer, "header")
    this.intake.hinted(peer, header)
  }

  /** No answer: no fault, and this place is not asked for again. A late answer is no fault either. */
  expire(peer: PeerState): void {
    const { core } = this
    const asked = peer.ancestor
    if (asked === undefined) return
    if (asked.deadlineMillis > core.now) return core.wakeBy(asked.deadlineMillis)
    peer.ancestor = undefined
    peer.lateAncestors.add(`${asked.of}~${asked.offset}`)
    core.counters.requestsTimedOut++
  }

  /** Made anew for each target from which a way down has begun. */
  private present(): Plan | undefined {
    const { core } = this
    for (const target of this.targets.byId.values()) {
      if (!target.begun || target.level === undefined) continue
      const node = core.dag.find(core.idBytes(target.id))
      if (node < 0 || core.dag.connected(node)) continue
      if (this.plan?.top !== target.id) this.plan = this.planFor(target.id, target.level)
      return this.plan
    }
    this.plan = undefined
    return undefined
  }

  private planFor(top: BlockId, level: number): Plan {
    const { core } = this
    const starts = new Set([core.frontier.level, level])
    for (const peer of core.peers.values()) {
      for (const entry of peer.branch?.entries ?? []) {
        if (!entry.exact || entry.level === undefined) continue
        if (entry.level > core.frontier.level && entry.level < level) starts.add(entry.level)
      }
    }
    return { top, level, starts: [...starts].toSorted((a, b) => a - b), exhausted: false }
  }
}

/** The level in the middle of the longest gap between two starts, unless all are short. */
const longestGap = ({ starts }: Plan): number | undefined => {
  let longest: number = ChainLimits.ancestorGapLevels
  let middle: number | undefined
  for (let i = 1; i < starts.length; i++) {
    const low = starts[i - 1] ?? 0
    const gap = (starts[i] ?? 0) - low
    if (gap <= longest) continue
    longest = gap
    middle = low + Math.floor(gap / 2)
  }
  return middle
}
