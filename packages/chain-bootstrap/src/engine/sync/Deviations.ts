/**
 * Branches that cannot be ours: they leave our chain below what is final, contradict a header that a quorum chose, or break a rule. The peers that
 * claimed them are blamed with the blocks as proof; those that only served a header on request are not, because honest nodes store side
 * branches (R30, R31, R46–R48, 5.5.5, A11, A13, A32).
 */
import type { Removed } from "@peerstrap/header-dag-quorum"
import type { BlockId } from "../../contract/Block.ts"
import type { Offence } from "../../contract/Standing.ts"
import type { PeerState } from "./PeerState.ts"
import type { Retention } from "./Retention.ts"
import type { SyncCore } from "./SyncCore.ts"

export class Deviations {
  private readonly core: SyncCore
  private readonly retention: Retention
  /**
   * When identities contradicted a final block of ours, for the case that they are the many and we are the one that is wrong. Only peers that we
   * dialled, and only for a while: otherwise one attacker with many names could stop us.
   */
  private readonly against = new Map<string, number>()

  constructor(core: SyncCore, retention: Retention) {
    this.core = core
    this.retention = retention
  }

  /** A header breaks a rule of the chain: it and what builds on it can never be applied. */
  invalidHeader(id: BlockId, fault: string): void {
    const { core } = this
    core.markInvalid(id)
    const node = core.dag.find(core.idBytes(id))
    if (node < 0) return
    const removed = core.dag.removeSubtree(node)
    // What was only named is a parent, which may be right.
    for (const header of removed) if (header.level >= 0) core.markInvalid(core.idText(header.id))
    this.forgetAll(removed)
    this.blameClaims(
      removed,
      "bad-header",
      () => true,
      (header) =>
        `claims block ${core.show(core.idText(header.id))} of level ${header.level}, where ${core.show(id)}: ${fault}`
    )
  }

  /** A chain of headers went down to our base's level without meeting it. */
  leavesOurChain(lowest: BlockId): void {
    const { core } = this
    const node = core.dag.find(core.idBytes(lowest))
    if (node < 0 || !core.dag.hasHeader(node)) return
    const count = core.dag.quorum(node)
    const level = core.dag.levelOf(node)
    if (count.rule !== undefined) {
      this.halt(
        `a quorum (${
          Math.max(count.settledSupporters, count.strongSupporters)
        } of ${count.electors} peers) follows a chain that leaves ours at level ${level}`
      )
      return
    }
    const removed = core.dag.removeSubtree(node)
    this.forgetAll(removed)
    this.pruned(removed, `it leaves our chain at level ${level}`)
  }

  /** Headers that lost against a chosen chain; a peer that claims one below what is final for it was wrong, near the tip it was only early. */
  pruned(removed: ReadonlyArray<Removed>, because: string): void {
    const { core } = this
    const final = (peer: PeerState, header: Removed) => header.level <= peer.finalClaims(core.options.maxReorgDepth)
    this.forgetAll(removed)
    for (const header of removed.slice(0, 16)) this.told(header)
    this.blameClaims(
      removed,
      "pruned-support",
      final,
      (header) => `claims block ${core.show(core.idText(header.id))} at level ${header.level}: ${because}`
    )
  }

  private told(header: Removed): void {
    if (header.level < 0) return
    const supporters = this.core.countedPeers().filter((peer) => header.strong.includes(peer.slot)).map((peer) =>
      peer.id
    )
    this.core.notice({ kind: "pruned", id: this.core.idText(header.id), level: header.level, supporters })
  }

  /** Each peer is blamed once for all of it, with its lowest header as proof; its branch is not believed any more. */
  private blameClaims(
    removed: ReadonlyArray<Removed>,
    offence: Offence,
    applies: (peer: PeerState, header: Removed) => boolean,
    detail: (header: Removed) => string
  ): void {
    const { core } = this
    for (const peer of core.peers.values()) {
      let proof: Removed | undefined
      for (const header of removed) {
        if (!header.strong.includes(peer.slot) || header.level < 0 || !applies(peer, header)) continue
        if (proof === undefined || header.level < proof.level) proof = header
      }
      if (proof === undefined) continue
      this.dropBranch(peer)
      core.blame(peer, offence, `block ${core.show(core.idText(proof.id))}`, detail(proof))
    }
  }

  /** The peer supports nothing until it says something new. */
  dropBranch(peer: PeerState): void {
    this.core.dag.clearClaims(peer.slot)
    peer.branch = undefined
    peer.tip = undefined
    peer.anchored = undefined
    peer.branchWanted = true
    this.core.dagDirty = true
  }

  private forgetAll(removed: ReadonlyArray<Removed>): void {
    for (const header of removed) {
      const id = this.core.idText(header.id)
      const facts = this.core.facts.get(id)
      if (facts !== undefined && !this.core.invalid.has(id)) this.retention.keep(facts, header)
      if (this.core.chainLevel(id) === undefined) this.core.facts.delete(id)
    }
    this.core.dagDirty = true
  }

  /** A branch contradicts a block of ours that is final: the connection ends, unless so many say the same that we must be the wrong one. */
  contradictsFinal(peer: PeerState, level: number, theirs: BlockId): void {
    const { core } = this
    const ours = core.chainAt(level) ?? core.start.base.id
    for (const [id, millis] of this.against) {
      if (core.now - millis > core.options.timers.branchRefresh) this.against.delete(id)
    }
    if (peer.counted && peer.side === "outgoing") this.against.set(peer.id, core.now)
    const others = core.countedPeers().filter((other) => !this.against.has(other.id)).length
    const dissent = this.against.size
    // Of those that ought to be there: the first few to connect are no quorum.
    const all = Math.max(dissent + others, core.options.connections.minPeers)
    if (3 * dissent > 2 * all && dissent >= core.options.minQuorumPeers) {
      this.halt(
        `${dissent} of ${dissent + others} peers have another block than ours at level ${level} (ours ${
          core.show(ours)
        }, theirs ${core.show(theirs)})`
      )
      return
    }
    core.blame(
      peer,
      "base-mismatch",
      `level ${level}`,
      `its branch names ${core.show(theirs)}, our chain has ${core.show(ours)}`
    )
  }

  agrees(peer: PeerState): void {
    this.against.delete(peer.id)
  }

  halt(reason: string): void {
    if (this.core.halted !== undefined) return
    this.core.halted = reason
    this.core.emit({ kind: "finish", outcome: "halted", reason })
  }
}
