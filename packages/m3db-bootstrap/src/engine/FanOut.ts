/**
 * Blocks whose replicas disagree: a copy is fetched from every peer that advertised the block and held until all have answered or
 * given up and the level's number of copies is there; then they are merged, in slices, so that other events get their turn.
 * What is held draws from the ledger before anything is asked.
 */
import { requiredCopies } from "@peerstrap/consistency-policy"
import type { BlockKey } from "../contract/BlockSink.ts"
import { type HeldCopy, settleCopies, type Stored } from "./CopyMerge.ts"
import { isHopeless } from "./RunScope.ts"
import { SeriesState } from "./SeriesBlock.ts"
import { mostExpectedBytes, type ShardState } from "./ShardState.ts"
import { noteDamage } from "./Verdicts.ts"
import { type Delivered, joinPieces } from "./Verification.ts"

const S = SeriesState

/** Beside its bytes a held copy costs about so much. */
const copyOverheadBytes = 256

interface Entry {
  copies: Array<HeldCopy>
  /** Drawn from the ledger for this group. */
  reserved: number
  /** Peers, as a bit mask, whose copies that is for. */
  readonly expected: number
  /** The most that was drawn for one of these: the ledger's capacity may have changed since. */
  readonly mostBytes: number
  /** Peers, as a bit mask, that are silent: a merge does not wait for their copies once there are enough. */
  silent: number
}

export interface MergedBlock {
  readonly group: number
  readonly merged: Stored
  /** Bytes drawn from the ledger for the copies; they stay drawn until the result is written. */
  readonly reserved: number
}

export class FanOut {
  /** Groups that wait for room in the ledger, oldest first. */
  private waiting: Array<number> = []
  private readonly active = new Map<number, Entry>()
  /** By peer of the job: groups whose copy is to be asked for. */
  readonly toAsk: Array<Array<number>>
  private toMerge: Array<number> = []
  private readonly shard: ShardState
  /** Bytes that the first of those that wait needs, when the ledger had no room for them. */
  private refusedBytes = 0

  constructor(shard: ShardState) {
    this.shard = shard
    this.toAsk = shard.peers.map(() => [])
  }

  get hasWork(): boolean {
    return this.toMerge.length > 0
  }

  /** Groups that wait for memory. */
  get waitingCount(): number {
    return this.waiting.length
  }

  /** Groups wait for memory, and none is let in whose end would give some back. */
  get isStarved(): boolean {
    return this.waiting.length > 0 && this.active.size === 0 && this.wantedBytes > 0
  }

  /** Bytes that the first of those that wait needs and does not get; 0 when memory is not what they wait for. */
  get wantedBytes(): number {
    return this.refusedBytes > this.shard.scope.ledger.free ? this.refusedBytes : 0
  }

  /** Drawn for groups that are let in. */
  get heldBytes(): number {
    let bytes = 0
    for (const { reserved } of this.active.values()) bytes += reserved
    return bytes
  }

  /** Whether copies of the group may be held. */
  holds(group: number): boolean {
    return this.active.has(group)
  }

  add(group: number): void {
    this.waiting.push(group)
  }

  /** Lets groups in as far as the ledger allows; always at least one when nothing else is held. */
  admit(): void {
    const { scope, series } = this.shard
    const share = scope.ledger.capacity * scope.limits.copiesShare
    const mostBytes = mostExpectedBytes(this.shard)
    let admitted = 0
    this.refusedBytes = 0
    for (const group of this.waiting) {
      let need = 0
      let expected = 0
      for (let peer = 0; peer < this.shard.peers.length; peer++) {
        if (!this.shard.offers(group, peer)) continue
        need += Math.min(this.shard.grouping.size(group, peer), mostBytes) + copyOverheadBytes
        expected |= 1 << peer
      }
      if (this.active.size > 0 && scope.ledger.usedBy("copies") + need > share) break
      if (!scope.ledger.tryReserve("copies", need)) {
        this.refusedBytes = need
        break
      }
      admitted++
      this.active.set(group, { copies: [], reserved: need, expected, mostBytes, silent: 0 })
      series.clearTries(group)
      if (series.state(group) === S.READY) series.move(group, S.FETCH_ALL)
      for (let peer = 0; peer < this.shard.peers.length; peer++) {
        if (this.shard.offers(group, peer)) this.toAsk[peer]!.push(group)
      }
    }
    if (admitted > 0) this.waiting = this.waiting.slice(admitted)
  }

  /** A usable copy came: it is copied out of the answer, so that the answer's buffer can go. */
  hold(group: number, peer: number, delivered: Exclude<Delivered, { readonly _tag: "unusable" }>): void {
    const entry = this.active.get(group)
    if (entry === undefined || this.shard.series.held(group, peer)) return
    const wasExpected = (entry.expected & (1 << peer)) !== 0
    const drawn = wasExpected ? Math.min(this.shard.grouping.size(group, peer), entry.mostBytes) : 0
    const extra = delivered.bytes + (wasExpected ? 0 : copyOverheadBytes) - drawn
    if (extra > 0) {
      if (!this.shard.scope.ledger.tryReserve("copies", extra)) {
        if (!wasExpected) this.shard.series.addTry(group, peer)
        this.askAgain(group, peer)
        return
      }
      entry.reserved += extra
    }
    entry.copies.push({
      peer,
      peerId: this.shard.peerId(peer),
      segments: delivered.segments.map(joinPieces),
      checksum: delivered.checksum,
      bytes: delivered.bytes,
      asAdvertised: delivered._tag !== "differs"
    })
    this.shard.series.setHeld(group, peer, true)
  }

  /** One more peer advertised the group after its fan-out began. Its copy draws memory when it comes. */
  join(group: number, peer: number): void {
    if (this.active.has(group) && this.shard.offers(group, peer)) this.toAsk[peer]!.push(group)
  }

  /** The copy of this peer did not come: ask again later, unless its tries are used up. */
  askAgain(group: number, peer: number): void {
    const { scope, series } = this.shard
    if (this.active.has(group) && series.tries(group, peer) < scope.limits.attemptsPerPeer) {
      this.toAsk[peer]!.push(group)
    }
  }

  /** Decides about a group in FETCH_ALL or BLOCKED after something changed. */
  evaluate(group: number): void {
    const { scope, series } = this.shard
    const state = series.state(group)
    if (state !== S.FETCH_ALL && state !== S.BLOCKED || !this.active.has(group)) return
    let held = 0
    let pending = 0
    let silent = 0
    let advertisers = 0
    const entry = this.active.get(group)!
    for (let peer = 0; peer < this.shard.peers.length; peer++) {
      if (!this.shard.offers(group, peer)) continue
      advertisers++
      if (series.held(group, peer)) held++
      else if (series.asked(group, peer)) {
        if ((entry.silent & (1 << peer)) === 0) pending++
        else silent++
      } else if (
        series.tries(group, peer) < scope.limits.attemptsPerPeer && !isHopeless(scope, this.shard.peers[peer]!)
      ) {
        // After a timeout it had its time; its breaker is open, and it is asked again only for what cannot do without it.
        if (this.timedOut(peer)) silent++
        else pending++
      }
    }
    if (pending > 0) return
    if (silent > 0 && (held === 0 || held < this.required(advertisers))) return
    if (advertisers === 0) {
      this.shard.onDropped(group)
      this.forget(group)
      return
    }
    const required = this.required(advertisers)
    if (held > 0 && held >= required) {
      series.move(group, S.MERGE)
      this.toMerge.push(group)
    } else if (this.shard.isBestEffort) {
      series.move(group, S.FAILED)
      this.shard.onMissing(group, "no peer delivered a usable copy")
      this.forget(group)
    } else if (state === S.FETCH_ALL) {
      series.move(group, S.BLOCKED)
      if (this.waiting.length > 0) this.letGo(group)
      this.shard.onBlocked(group)
    }
  }

  /** Whether calls to the peer have timed out, and none has succeeded since. */
  private timedOut(peer: number): boolean {
    const { failuresInRow, lastFailure } = this.shard.scope.queues.state(this.shard.peers[peer]!)
    return failuresInRow > 0 && lastFailure === "timeout"
  }

  /** The peer is silent: its copy is not waited for where there are enough others. */
  passOver(group: number, peer: number): void {
    const entry = this.active.get(group)
    if (entry === undefined || (entry.silent & (1 << peer)) !== 0) return
    entry.silent |= 1 << peer
    this.evaluate(group)
  }

  /** Others wait for the memory: a blocked group starts afresh when its time comes. */
  private letGo(group: number): void {
    for (let peer = 0; peer < this.shard.peers.length; peer++) this.shard.series.setHeld(group, peer, false)
    this.forget(group)
  }

  private required(advertisers: number): number {
    if (this.shard.isBestEffort) return 0
    return requiredCopies(this.shard.scope.level, { majority: this.shard.majority, advertisers })
  }

  evaluateAll(): void {
    for (const group of this.active.keys()) this.evaluate(group)
  }

  /** A blocked group gets fresh tries; what it holds stays. False when there is nobody to ask. */
  retry(group: number): boolean {
    const { series } = this.shard
    let asks = false
    series.clearTries(group)
    for (let peer = 0; peer < this.shard.peers.length; peer++) {
      if (!this.shard.offers(group, peer) || series.held(group, peer)) continue
      this.toAsk[peer]!.push(group)
      asks = true
    }
    return asks
  }

  /** Merges about one slice of bytes' worth of groups. Results go to `out`. */
  mergeSlice(out: Array<MergedBlock>): void {
    let budget = this.shard.scope.limits.mergeSliceBytes
    let done = 0
    while (done < this.toMerge.length && budget > 0) {
      const group = this.toMerge[done++]!
      const entry = this.active.get(group)!
      for (const copy of entry.copies) budget -= copy.bytes
      this.mergeOne(group, entry, out)
    }
    if (done > 0) this.toMerge = this.toMerge.slice(done)
  }

  private mergeOne(group: number, entry: Entry, out: Array<MergedBlock>): void {
    const { scope, series } = this.shard
    const key: BlockKey = this.shard.key(series.block(group))
    let advertisers = 0
    for (let peer = 0; peer < this.shard.peers.length; peer++) if (this.shard.offers(group, peer)) advertisers++
    const merged = settleCopies(entry.copies, {
      required: this.required(advertisers),
      blockStart: key.blockStart,
      blockSize: scope.options.blockSizeNanos,
      mutable: this.shard.isMutable(series.block(group)),
      encoding: scope.options.encoding,
      rule: scope.mergeRule,
      maxPoints: scope.limits.maxPointsPerBlock
    })
    for (const { copy, detail } of "bad" in merged ? merged.bad : []) {
      noteDamage(this.shard, { group, peer: copy.peer, kind: "undecodable-block", detail })
    }
    switch (merged._tag) {
      case "one":
      case "merged": {
        out.push({ group, merged, reserved: entry.reserved })
        this.active.delete(group)
        return
      }
      case "refused": {
        series.move(group, S.FAILED)
        this.shard.onMissing(group, merged.detail)
        this.forget(group)
        return
      }
      case "undecodable": {
        for (const { copy } of merged.bad) {
          series.setHeld(group, copy.peer, false)
          series.addTry(group, copy.peer)
        }
        entry.copies = entry.copies.filter((copy) => !merged.bad.some((one) => one.copy === copy))
        series.move(group, S.FETCH_ALL)
        for (const { copy } of merged.bad) this.askAgain(group, copy.peer)
        this.evaluate(group)
      }
    }
  }

  private forget(group: number): void {
    const entry = this.active.get(group)
    if (entry === undefined) return
    this.active.delete(group)
    this.shard.scope.ledger.release("copies", entry.reserved)
  }

  clear(): void {
    for (const group of this.active.keys()) this.forget(group)
    this.waiting = []
    this.refusedBytes = 0
    this.toMerge = []
    for (const list of this.toAsk) list.length = 0
  }
}
