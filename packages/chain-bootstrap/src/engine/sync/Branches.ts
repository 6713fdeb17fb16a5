/**
 * Current branches and heads: asking for them, reading them, and what they make known (mission 003 steps 1 and 2; 5.5.1; R1, R27–R33, R57,
 * R59–R63, R107–R109, A4, A6, A13, A17, A24, A32).
 */
import type { HeaderFacts } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { BranchEntry } from "../../contract/PeerMessage.ts"
import type { Deviations } from "./Deviations.ts"
import type { HeaderIntake } from "./HeaderIntake.ts"
import type { PeerState } from "./PeerState.ts"
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

export class Branches {
  private readonly core: SyncCore
  private readonly targets: Targets
  private readonly intake: HeaderIntake
  private readonly deviations: Deviations
  private lastAnswerMillis = -Infinity
  /** Heads that we cannot use, by peer: many of them mean that our clock or our network file is wrong. */
  readonly leftAside = new Map<string, { readonly aheadSeconds: number; readonly fault: string }>()

  constructor(core: SyncCore, targets: Targets, intake: HeaderIntake, deviations: Deviations) {
    this.core = core
    this.targets = targets
    this.intake = intake
    this.deviations = deviations
  }

  /** Sends GetCurrentBranch where one is wanted and spacing allows, and refreshes old branches. */
  ask(peer: PeerState): void {
    const { core } = this
    const { timers } = core.options
    if (peer.branch !== undefined) {
      const refresh = peer.branch.receivedAtMillis + timers.branchRefresh
      if (refresh <= core.now) peer.branchWanted = true
      else core.wakeBy(refresh)
    }
    if (!peer.branchWanted || peer.branchDeadlineMillis !== undefined) return
    const allowed = Math.max(
      peer.throttle.mayAt("branch", core.now),
      (peer.branchAskedAtMillis ?? -Infinity) + timers.branchSpacing
    )
    if (allowed > core.now) return core.wakeBy(allowed)
    peer.branchWanted = false
    peer.throttle.sent("branch", core.now)
    peer.branchAskedAtMillis = core.now
    peer.branchDeadlineMillis = core.now + timers.branch
    core.wakeBy(peer.branchDeadlineMillis)
    core.ask(peer, { kind: "get-branch" })
  }

  /**
   * No branch in time costs points, provided that another peer answered in the same window (the one exception to never blaming silence); asked
   * again while any are left (R107–R109).
   */
  expire(peer: PeerState): void {
    const { core } = this
    const deadline = peer.branchDeadlineMillis
    if (deadline === undefined) return
    if (deadline > core.now) return core.wakeBy(deadline)
    peer.branchDeadlineMillis = undefined
    peer.branchWanted = true
    core.counters.requestsTimedOut++
    const asked = peer.branchAskedAtMillis ?? core.now
    if (this.lastAnswerMillis < asked) return
    const waited = ((core.now - asked) / 1000).toFixed(1)
    core.blame(peer, "branch-unanswered", "GetCurrentBranch", `no branch for ${waited} s, while another peer answered`)
  }

  /** One message's steps in sequence (R63). */
  received(peer: PeerState, head: HeaderFacts, entries: ReadonlyArray<BranchEntry>): void {
    const { core } = this
    const expected = peer.branchDeadlineMillis !== undefined
    peer.branchDeadlineMillis = undefined
    this.lastAnswerMillis = core.now
    if (this.unusable(peer, head)) return
    if (this.knownInvalid(peer, entries)) return
    peer.deviates = false
    if (!this.agreesWithOurChain(peer, head.level, entries)) return
    if (expected) core.credit(peer, "branch")
    this.raiseClaim(peer, head)
    core.dag.clearClaims(peer.slot)
    peer.branch = { head, entries, receivedAtMillis: core.now }
    // What was wanted is here, whether it was asked for or told (R28).
    peer.branchWanted = false
    peer.tip = undefined
    peer.headers.clearRefused()
    peer.units.clearRefused()
    for (const entry of entries) {
      if (entry.level !== undefined && entry.exact && entry.level <= core.dag.baseLevel) continue
      core.dag.claim(peer.slot, core.idBytes(entry.id))
    }
    core.dagDirty = true
    if (head.level <= core.frontier.level + ChainLimits.nearTipLevels) this.intake.told(peer, head)
    if (core.present(peer) !== undefined) this.targets.refill(peer)
  }

  /** While unsynced this only raises the peer's head (R33); later it is followed (5.9). */
  head(peer: PeerState, header: HeaderFacts): void {
    const { core } = this
    if (peer.headDeadlineMillis !== undefined) {
      peer.headDeadlineMillis = undefined
      core.credit(peer, "head")
    }
    if (core.invalid.has(header.id)) {
      core.blame(
        peer,
        "invalid-block",
        `block ${core.show(header.id)}`,
        "its head is a block that is known to be invalid"
      )
      return
    }
    if (this.unusable(peer, header)) return
    const raised = this.raiseClaim(peer, header)
    if (!raised) return
    if (core.status !== "unsynced") return this.follow(peer, header)
    // Its branch has little left for us, and it has moved on since, perhaps away from that branch (5.5.7, A6).
    const ends = peer.branch?.head.level ?? Infinity
    if (ends <= core.frontier.level + ChainLimits.nearTipLevels) peer.branchWanted = true
  }

  /** A new head when we are at the tip: next to ours it is taken at once, farther away a branch is asked for. */
  private follow(peer: PeerState, header: HeaderFacts): void {
    const { core } = this
    if (header.level > core.frontier.level + ChainLimits.nearTipLevels || header.level <= core.dag.baseLevel) {
      peer.branchWanted = header.level > core.frontier.level
      return
    }
    if (peer.branch === undefined) {
      peer.branchWanted = true
      return
    }
    this.replaceTip(peer, header)
    this.intake.told(peer, header)
    if (core.chainLevel(header.parent) === undefined && !core.facts.has(header.parent)) peer.branchWanted = true
  }

  /** Its newest head stands for what it supports near the tip; older entries stay true (A6, A12). */
  private replaceTip(peer: PeerState, header: HeaderFacts): void {
    const { core } = this
    core.dag.clearClaims(peer.slot)
    // What was near the head of the branch when it was told may have been left since.
    const stays = (peer.branch?.head.level ?? 0) - core.options.maxReorgDepth
    for (const entry of peer.branch?.entries ?? []) {
      if (entry.level === undefined || entry.level > stays) continue
      if (entry.level > core.dag.baseLevel || !entry.exact) core.dag.claim(peer.slot, core.idBytes(entry.id))
    }
    core.dag.claim(peer.slot, core.idBytes(header.id))
    peer.tip = header
    core.dagDirty = true
  }

  private raiseClaim(peer: PeerState, header: HeaderFacts): boolean {
    const better = peer.claimed === undefined || this.core.rules.compareWeight(header.weight, peer.claimed.weight) > 0
    if (better) peer.claimed = header
    return better
  }

  /**
   * A head from the future, or one that our network's facts do not allow, may as well mean that our own clock or network file is wrong: it is left
   * aside, nobody is blamed, and the branch is asked for again later.
   */
  private unusable(peer: PeerState, header: HeaderFacts): boolean {
    const { core } = this
    const fault = core.rules.checkAlone(header, core.wallMillis / 1000)
    if (fault === undefined) {
      this.leftAside.delete(peer.id)
      return false
    }
    const aheadSeconds = Math.max(0, header.timeSeconds - core.wallMillis / 1000)
    this.leftAside.set(peer.id, { aheadSeconds, fault: `head of level ${header.level}: ${fault}` })
    if (peer.branch === undefined) peer.branchWanted = true
    return true
  }

  private knownInvalid(peer: PeerState, entries: ReadonlyArray<BranchEntry>): boolean {
    const entry = entries.find(({ id }) => this.core.invalid.has(id))
    if (entry === undefined) return false
    this.core.blame(
      peer,
      "invalid-block",
      `block ${this.core.show(entry.id)}`,
      "its branch contains a block that is known to be invalid"
    )
    return true
  }

  /**
   * Compares every exact entry at or below our chosen chain with ours, as far as we know ours (A17). The inexact last entry can only confirm.
   */
  private agreesWithOurChain(peer: PeerState, headLevel: number, entries: ReadonlyArray<BranchEntry>): boolean {
    const { core } = this
    const early = headLevel - core.options.maxReorgDepth
    let anchored = false
    for (const entry of entries) {
      if (core.chainLevel(entry.id) !== undefined || entry.id === core.start.base.id) anchored = true
      if (!entry.exact || entry.level === undefined || entry.level > core.frontier.level) continue
      const ours = entry.level < core.start.base.level ? undefined : core.chainAt(entry.level)
      if (ours === undefined || ours === entry.id) continue
      if (!core.finalForUs(entry.level)) continue
      // It may have stopped where the others went on: nobody's fault (A13).
      if (entry.level > early) {
        peer.deviates = true
        continue
      }
      this.deviations.contradictsFinal(peer, entry.level, entry.id)
      return false
    }
    // A later branch of a rolling peer may begin above our chain, and is still the same chain.
    peer.anchored = anchored || peer.anchored === true
    this.deviations.agrees(peer)
    return true
  }
}
