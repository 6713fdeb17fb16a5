/**
 * What happens to a header that comes in: checks, links, support, and the next step of the descent (5.5.3; R40–R43, R83–R90, A5, A11, A23, 2.7).
 */
import type { NodeIndex } from "@peerstrap/header-dag-quorum"
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import { ChainLimits } from "../../contract/ChainLimits.ts"
import type { Deviations } from "./Deviations.ts"
import type { HeaderRequests } from "./HeaderRequests.ts"
import type { PeerState } from "./PeerState.ts"
import type { Retention } from "./Retention.ts"
import type { SyncCore } from "./SyncCore.ts"
import type { Targets } from "./Targets.ts"

export class HeaderIntake {
  private readonly core: SyncCore
  private readonly targets: Targets
  private readonly requests: HeaderRequests
  private readonly deviations: Deviations
  private readonly retention: Retention
  /** Headers that went to the store on arrival. */
  private readonly saved = new WeakSet<HeaderFacts>()

  constructor(
    core: SyncCore,
    targets: Targets,
    requests: HeaderRequests,
    deviations: Deviations,
    retention: Retention
  ) {
    this.core = core
    this.targets = targets
    this.requests = requests
    this.deviations = deviations
    this.retention = retention
  }

  /** A header in answer to GetBlockHeaders: asked for, late, or never asked (R40, R41, A23). */
  answered(peer: PeerState, header: HeaderFacts): void {
    const { core } = this
    const standing = peer.headers.answered(header.id)
    if (standing === "never") {
      core.blame(
        peer,
        "never-asked",
        `block ${core.show(header.id)}`,
        `sent a header of level ${header.level} that it was never asked for`
      )
      return
    }
    core.counters.headersReceived++
    const node = core.dag.find(core.idBytes(header.id))
    const known = node >= 0 && core.dag.hasHeader(node)
    if (standing === "pending") {
      if (known) core.counters.headersDuplicate++
      core.credit(peer, "header")
    }
    if (!known && !this.requests.isWanted(header.id)) {
      if (header.level > core.dag.baseLevel) this.retention.spare(header)
      return
    }
    if (!this.accept(header, peer) || core.present(peer) === undefined) return
    core.dag.reply(peer.slot, core.idBytes(header.id))
    core.dagDirty = true
    if (this.targets.byId.has(header.id)) this.targets.changed = true
  }

  /** A header that a peer told with its branch or head: its own claim, so no request is needed. */
  told(peer: PeerState, header: HeaderFacts): void {
    if (this.accept(header, peer)) this.core.dagDirty = true
  }

  /** A header that may lie beneath a chain with quorum: another starting point of the way down. */
  hinted(peer: PeerState, header: HeaderFacts): void {
    if (header.level <= this.core.frontier.level) return
    this.requests.wantDescent(header.id, undefined, header.level, true)
    this.told(peer, header)
  }

  /** A header of ours, from the store or kept from before. */
  own(header: HeaderFacts): void {
    if (this.accept(header, undefined)) this.core.dagDirty = true
  }

  /** Checks and inserts; true when the header is in the DAG afterwards. */
  private accept(header: HeaderFacts, peer: PeerState | undefined): boolean {
    const { core } = this
    const idBytes = core.idBytes(header.id)
    const node = core.dag.find(idBytes)
    if (node >= 0 && core.dag.hasHeader(node)) return true
    if (core.invalid.has(header.id)) return false
    this.compareNamedLevel(header)
    const alone = core.rules.checkAlone(header, core.wallMillis / 1000)
    if (alone !== undefined) {
      this.requests.forget(header.id)
      this.targets.markUnavailable(header.id)
      // From the future: perhaps our own clock is wrong, nobody is blamed, the header is not taken.
      if (header.timeSeconds <= core.wallMillis / 1000) this.deviations.invalidHeader(header.id, alone)
      return false
    }
    const child = this.requests.childOf(header.id)
    const beneath = this.requests.isBeneath(header.id)
    if (!this.insert(header, child, core.present(peer))) return false
    this.requests.forget(header.id)
    core.facts.set(header.id, header)
    core.progress()
    if (!this.relationsHold(header, core.dag.find(idBytes))) return false
    if (core.mode === "anchored" || core.facts.size > ChainLimits.factsInMemory) this.spill(header)
    this.descend(core.dag.find(idBytes), beneath)
    return true
  }

  /** Into the DAG; false when it cannot be there. */
  private insert(header: HeaderFacts, child: BlockId | undefined, peer: PeerState | undefined): boolean {
    const { core } = this
    const owner = peer === undefined || this.proven(child) ? -1 : peer.slot
    for (;;) {
      const inserted = core.dag.insert(core.idBytes(header.id), core.idBytes(header.parent), header.level, owner)
      switch (inserted.outcome) {
        case "added":
        case "known":
          return true
        case "unproven":
          // This peer has delivered enough that nobody vouches for; the header may come from another one.
          if (peer !== undefined) this.requests.elsewhere(header.id, peer)
          return false
        case "full":
          this.requests.forget(header.id)
          this.targets.markUnavailable(header.id)
          return false
        case "below":
          this.requests.forget(header.id)
          this.targets.markUnavailable(header.id)
          if (child !== undefined) this.deviations.leavesOurChain(child)
          return false
        case "contradiction":
          if (inserted.relation === "parent" || inserted.relative < 0) {
            this.requests.forget(header.id)
            this.deviations.invalidHeader(header.id, "its level does not follow its predecessor's")
            return false
          }
          // The id of the header is given by its child, so it is the child that is wrong.
          this.deviations.invalidHeader(
            core.idText(core.dag.idOf(inserted.relative)),
            "its level does not follow its predecessor's"
          )
      }
    }
  }

  /** Whether a quorum stands behind the header's child, which names it: then it is nobody's burden, however long the way down is. */
  private proven(child: BlockId | undefined): boolean {
    if (child === undefined) return false
    const node = this.core.dag.find(this.core.idBytes(child))
    return node >= 0 && this.core.dag.hasHeader(node) && this.core.dag.quorum(node).rule !== undefined
  }

  /** Levels of targets were computed from locators: a header of another level proves a locator wrong, not the one who sent the header (A5). */
  private compareNamedLevel(header: HeaderFacts): void {
    const target = this.targets.byId.get(header.id)
    if (target?.level === undefined || target.level === header.level) return
    this.targets.setLevel(header.id, header.level)
    for (const source of target.sources) {
      // Another may have named the level first: each answers for what it told itself.
      const told = source.branch?.entries.find((entry) => entry.id === header.id)
      if (told?.exact !== true || told.level === header.level) continue
      this.core.blame(
        source,
        "bogus-branch",
        `block ${this.core.show(header.id)}`,
        `its locator puts the block at level ${told.level}, the header says ${header.level}`
      )
    }
  }

  /** Relations to the parent and children whose facts are at hand (2.7). Those that are not are checked before the block is applied. */
  private relationsHold(header: HeaderFacts, node: number): boolean {
    const { core } = this
    const parent = core.facts.get(header.parent) ?? (header.parent === core.head.id ? core.headFacts : undefined)
    const fault = parent === undefined ? undefined : core.rules.checkLink(header, parent)
    if (fault !== undefined) {
      this.deviations.invalidHeader(header.id, fault)
      return false
    }
    for (const child of core.dag.childrenOf(node)) {
      const childId = core.idText(core.dag.idOf(child))
      const childFacts = core.facts.get(childId)
      const childFault = childFacts === undefined ? undefined : core.rules.checkLink(childFacts, header)
      if (childFault !== undefined) this.deviations.invalidHeader(childId, childFault)
    }
    return true
  }

  /** Goes on with the predecessor of a known header, or beneath the chain that it has just met. */
  private descend(from: NodeIndex, beneath: boolean): void {
    const { core } = this
    const { dag } = core
    const node = dag.lowestAncestor(from)
    const parent = dag.parentOf(node)
    if (parent < 0 || dag.hasHeader(parent) || dag.connected(node)) return
    const id = core.idText(dag.idOf(node))
    const level = dag.levelOf(node)
    if (level <= dag.baseLevel + 1) return this.deviations.leavesOurChain(id)
    if (core.mode === "anchored" && !beneath && !this.worthDescending(node)) return
    this.want(core.idText(dag.idOf(parent)), id, level - 1, beneath)
  }

  private want(id: BlockId, child: BlockId | undefined, level: number, beneath: boolean): void {
    const kept = this.retention.take(id)
    this.requests.wantDescent(id, child, level, beneath)
    if (kept !== undefined) this.own(kept)
  }

  /**
   * In anchored mode the way down may be a million headers long: near the peers' heads, targets are linked with each other, and beneath that only a
   * chain with quorum is followed.
   */
  private worthDescending(node: NodeIndex): boolean {
    const { dag, peersLevel } = this.core
    return dag.levelOf(node) > (peersLevel ?? Infinity) - ChainLimits.anchorBandLevels ||
      dag.quorum(node).rule !== undefined
  }

  /**
   * Goes on beneath every target whose header is here: targets come back, modes change, and a target of anchored mode may have gained its quorum
   * just now; then the way down starts from what its supporters named beneath, too, in parallel (A9, A21).
   */
  resume(): void {
    const { core } = this
    const { dag } = core
    for (const target of this.targets.byId.values()) {
      const kept = this.retention.take(target.id)
      if (kept !== undefined) this.own(kept)
      const node = dag.find(core.idBytes(target.id))
      if (node < 0 || !dag.hasHeader(node) || dag.connected(node)) continue
      this.descend(node, false)
      if (core.mode !== "anchored" || target.begun || dag.quorum(node).rule === undefined) continue
      target.begun = true
      for (const slot of dag.strongSupporters(node)) this.startBeneath(slot, target.level ?? 0)
    }
  }

  private startBeneath(slot: number, level: number): void {
    const { dag, frontier } = this.core
    const peer = this.core.peerAt(slot)
    for (const entry of peer?.branch?.entries ?? []) {
      const inside = entry.exact && entry.level !== undefined && entry.level < level && entry.level > frontier.level
      if (!inside || entry.level === undefined) continue
      const node = dag.find(this.core.idBytes(entry.id))
      if (node < 0 || !dag.hasHeader(node)) this.want(entry.id, undefined, entry.level, true)
    }
  }

  /** To the store at once; memory keeps links, and facts only where a neighbour is still to come. */
  private spill(header: HeaderFacts): void {
    const { core } = this
    this.save(header)
    const node = core.dag.find(core.idBytes(header.id))
    for (const child of core.dag.childrenOf(node)) this.dropInner(core.idText(core.dag.idOf(child)))
    this.dropInner(header.parent)
  }

  private save(header: HeaderFacts): void {
    if (this.saved.has(header)) return
    this.saved.add(header)
    this.core.emit({ kind: "store-headers", headers: [header] })
  }

  /** Facts between two known neighbours are not needed until the block's turn comes. */
  private dropInner(id: BlockId): void {
    const { core } = this
    const node = core.dag.find(core.idBytes(id))
    if (node < 0 || !core.dag.hasHeader(node) || core.dag.childrenOf(node).length === 0) return
    const parent = core.dag.parentOf(node)
    if (parent < 0 || !core.dag.hasHeader(parent) || core.dag.levelOf(node) >= core.tipFromLevel) return
    const facts = core.facts.get(id)
    if (facts !== undefined) this.save(facts)
    core.facts.delete(id)
  }
}
