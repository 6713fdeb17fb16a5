/**
 * The end of the header phase: when a chain of headers above ours has a quorum of the peers of now, it is chosen, everything beside it is pruned,
 * and its evidence is kept (mission 003 step 4; 5.5.4, 5.5.5, 5.5.7; R44–R50, R56–R58, A8, A14, A15, A18–A20).
 */
import type { SegmentEvidence } from "@peerstrap/header-dag-quorum"
import type { BlockId, BlockRef } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { Rival } from "../../contract/Reorganisation.ts"
import type { Deviations } from "./Deviations.ts"
import type { HeaderRequests } from "./HeaderRequests.ts"
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

/** The part of an evidence that concerns blocks above one of its own. */
const above = (evidence: SegmentEvidence, base: BlockRef): SegmentEvidence => ({
  ...evidence,
  baseId: base.id,
  baseLevel: base.level,
  runs: evidence.runs.flatMap((run) =>
    run.toLevel <= base.level ? [] : [{ ...run, fromLevel: Math.max(run.fromLevel, base.level + 1) }]
  )
})

export class Gate {
  private readonly core: SyncCore
  private readonly targets: Targets
  private readonly requests: HeaderRequests
  private readonly deviations: Deviations
  private candidateSinceMillis: number | undefined = undefined

  constructor(core: SyncCore, targets: Targets, requests: HeaderRequests, deviations: Deviations) {
    this.core = core
    this.targets = targets
    this.requests = requests
    this.deviations = deviations
  }

  /** Chooses what can be chosen now; returns a rival chain when a quorum stands behind one. */
  look(): Rival | undefined {
    const { core } = this
    const room = core.options.pipelining ? ChainLimits.chosenSegments * core.options.segmentHeaders : 0
    if (core.chosen.length > room) return undefined
    const highest = core.dag.highestQuorum(core.frontier.level - core.dag.baseLevel + core.options.segmentHeaders)
    if (highest < 0 || this.isOurs(highest)) return undefined
    const segment = core.dag.segment(highest)
    const count = this.vouched(segment.nodes)
    const top = segment.nodes[count - 1]
    if (top === undefined || this.isOurs(top)) return undefined
    const idAt = (level: number): BlockId => {
      const at = (level - segment.firstLevel) * core.rules.idBytes
      return core.idText(segment.ids.subarray(at, at + core.rules.idBytes))
    }
    const topLevel = core.dag.baseLevel + count
    let common = core.dag.baseLevel
    const shared = Math.min(topLevel, core.frontier.level)
    // From above: in the usual case our own last block is in the segment.
    for (let level = shared; level > core.dag.baseLevel; level--) {
      if (core.chainAt(level) === idAt(level)) {
        common = level
        break
      }
    }
    if (common === topLevel) return undefined
    const ids: Array<BlockId> = []
    for (let level = common + 1; level <= topLevel; level++) ids.push(idAt(level))
    if (common < core.frontier.level) return this.rival(common, ids)
    if (this.settling(topLevel)) return undefined
    this.choose(ids, top)
    return undefined
  }

  private isOurs(node: number): boolean {
    const { dag } = this.core
    return this.core.chainAt(dag.levelOf(node)) === this.core.idText(dag.idOf(node))
  }

  /**
   * How many blocks of a chain with quorum, from below, are claimed by more than a third of the counted peers: by an honest one at least. Mere replies
   * must not decide, because honest nodes serve lost blocks, too (A11).
   */
  private vouched(nodes: Int32Array): number {
    const { core } = this
    const counted = new Set(core.countedPeers().map(({ slot }) => slot))
    // While some are still missing, liars may be more than a third of those who are there.
    const electorate = Math.max(counted.size, core.options.connections.minPeers)
    const enough = (node: number): boolean =>
      3 * core.dag.strongSupporters(node).filter((slot) => counted.has(slot)).length > electorate
    let yes = 0
    let no = nodes.length + 1
    // Who claims a block claims its ancestors.
    while (no - yes > 1) {
      const middle = (yes + no) >> 1
      if (enough(nodes[middle - 1] ?? -1)) yes = middle
      else no = middle
    }
    return yes
  }

  /** Whether a quorum still stands behind a rival: peers may have left since it was seen. */
  stands(rival: Rival): boolean {
    const { dag } = this.core
    const node = dag.find(this.core.idBytes(rival.top.id))
    const highest = dag.highestQuorum(Infinity)
    if (node < 0 || highest < 0 || !dag.hasHeader(node) || !dag.connected(node)) return false
    const nodes = dag.segment(highest).nodes
    return nodes[dag.levelOf(node) - dag.baseLevel - 1] === node &&
      this.vouched(nodes) >= dag.levelOf(node) - dag.baseLevel
  }

  private rival(forkLevel: number, ids: ReadonlyArray<BlockId>): Rival | undefined {
    const top = this.core.facts.get(ids.at(-1) ?? "")
    const ours = this.core.facts.get(this.core.frontier.id) ?? this.core.headFacts
    if (top === undefined || ours === undefined) return undefined
    return this.core.rules.compareWeight(top.weight, ours.weight) > 0 ? { forkLevel, top, ids } : undefined
  }

  /** While there is other work, a segment waits a little for targets above it that may still join (A20: the latest of the earliest). */
  private settling(topLevel: number): boolean {
    const { core } = this
    const busy = core.chosen.length >= core.options.applyWindow
    const open = [...this.targets.byId.values()].some(({ level }) => level === undefined || level > topLevel)
    if (!busy || !open) {
      this.candidateSinceMillis = undefined
      return false
    }
    this.candidateSinceMillis ??= core.now
    const until = this.candidateSinceMillis + ChainLimits.settleMillis
    if (core.now >= until) {
      this.candidateSinceMillis = undefined
      return false
    }
    core.wakeBy(until)
    return true
  }

  /** The electorate and its supporters are frozen here, by one synchronous step (A15). */
  choose(ids: ReadonlyArray<BlockId>, top: number): void {
    const { core } = this
    const firstLevel = core.frontier.level + 1
    const count = core.dag.quorum(top)
    this.record(ids, core.frontier, top)
    core.chosen.append(ids)
    core.segments++
    core.progress()
    core.notice({
      kind: "segment",
      fromLevel: firstLevel,
      toLevel: firstLevel + ids.length - 1,
      supporters: count.rule === "tip" ? count.strongSupporters : count.settledSupporters,
      electorate: count.rule === "tip" ? count.electors : count.settledElectorate
    })
    this.settle(top)
    this.restart()
  }

  /** Headers, segment and evidence go to the store, in this order. */
  record(ids: ReadonlyArray<BlockId>, base: BlockRef, top: number): void {
    const { core } = this
    const firstLevel = base.level + 1
    const evidence = above(core.dag.evidence(top), base)
    const headers = ids.flatMap((id) => core.facts.get(id) ?? [])
    if (headers.length > 0) core.emit({ kind: "store-headers", headers })
    const peers: Array<string> = []
    for (const peer of core.peers.values()) peers[peer.slot] = peer.id
    const named = Array.from(peers, (id) => id ?? "")
    core.emit({ kind: "store-segment", ids, firstLevel, evidence, peers: named })
  }

  /** What is final for the peers is final for us: the base moves up to it, and what stands beside goes, with its supporters told. */
  settle(top: number): void {
    const { core } = this
    const topLevel = core.dag.levelOf(top)
    const final = Math.min(topLevel, core.toldLevel - core.reorgMargin)
    if (final <= core.dag.baseLevel) return
    const nodes = core.dag.segment(top).nodes
    const node = nodes[final - core.dag.baseLevel - 1]
    if (node === undefined) return
    this.blameEquivocators(final)
    this.compareEntries(core.dag.baseLevel + 1, final)
    this.deviations.pruned(core.dag.prune(node), "a quorum chose another block there")
    // Pruning may have moved nothing else, so the node's index is still its own.
    this.deviations.pruned(core.dag.advanceBase(node), "a quorum chose another block there")
    this.requests.sweep()
  }

  /** Who claims two blocks of one final level at the same time, by one branch, lies (A12). */
  private blameEquivocators(final: number): void {
    const { core } = this
    for (const { ids, level, peer: slot } of core.dag.equivocators()) {
      const peer = [...core.peers.values()].find((candidate) => candidate.slot === slot)
      if (peer === undefined || level > Math.min(final, peer.finalClaims(core.options.maxReorgDepth))) continue
      const blocks = ids.map((id) => core.show(core.idText(id))).join(" and ")
      this.deviations.dropBranch(peer)
      core.blame(peer, "equivocation", `level ${level}`, `its branch claims ${blocks} at level ${level}`)
    }
  }

  /** Exact locator entries at chosen levels are claims as well, with or without their headers (R48). */
  private compareEntries(fromLevel: number, toLevel: number): void {
    const { core } = this
    for (const peer of core.peers.values()) {
      for (const entry of peer.branch?.entries ?? []) {
        if (!entry.exact || entry.level === undefined || entry.level < fromLevel || entry.level > toLevel) continue
        const ours = core.chainAt(entry.level)
        if (ours === undefined || ours === entry.id) continue
        const early = entry.level > (peer.branch?.head.level ?? 0) - core.options.maxReorgDepth
        const detail = `its branch names ${core.show(entry.id)} at level ${entry.level}, a quorum chose ${
          core.show(ours)
        }`
        this.deviations.dropBranch(peer)
        if (!early) core.blame(peer, "pruned-support", `level ${entry.level}`, detail)
        break
      }
    }
  }

  /** Goals of the next segment (step 6). */
  restart(): void {
    this.targets.restart()
    this.requests.sweep()
    this.requests.narrow()
    this.candidateSinceMillis = undefined
    this.core.dagDirty = true
  }
}
