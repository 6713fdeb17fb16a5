/**
 * The data side of one job: gives ready series-blocks to peers with room, takes answers apart, and passes on what proved right.
 * One peer where all checksums agree; everything else goes to the fan-out. (specs: peer streaming 3.6–3.9, 3.16)
 */
import { absentChecksum, type BlocksAnswer, type BlocksRequest, type UsualBlocks } from "@peerstrap/m3db-wire"
import { noChecksum } from "@peerstrap/metadata-grouping"
import { best, type Candidate } from "@peerstrap/peer-selection"
import type { CallFailure } from "../contract/StreamRun.ts"
import { blocksRequest, requestBytes } from "./BlocksRequests.ts"
import { isItemBlameless, pushbacksPerFailure } from "./CallFailures.ts"
import type { Deliveries } from "./Deliveries.ts"
import type { FanOut } from "./FanOut.ts"
import { type FetchBatch, matchAnswer } from "./FetchBatch.ts"
import type { Overdue } from "./Hedging.ts"
import { JobHedges } from "./JobHedges.ts"
import { type Hold, isHopeless, record } from "./RunScope.ts"
import { SeriesState } from "./SeriesBlock.ts"
import { expectedBytes, type ShardState } from "./ShardState.ts"
import { noteDamage, noteFailedCall } from "./Verdicts.ts"
import { type Delivered, isAsAdvertised, verifyDelivered } from "./Verification.ts"

const S = SeriesState

/** Thrift around one block of an answer costs about so much more than around an item of the request. */
const elementOverheadBytes = 80

/** An answer is somewhat larger than announced when blocks grew since the listing. */
const answerSlackBytes = 64 << 10

/** Series-blocks that go to one peer by one choice, while others could have them too: at most so many, of so many parts of what waits. */
const longestRun = 64
const runsPerBucket = 64

const isOne = (mask: number): boolean => (mask & (mask - 1)) === 0

/** A first-in-first-out list that gives its memory back as it is emptied. */
class Fifo {
  private items: Array<number> = []
  private head = 0

  get length(): number {
    return this.items.length - this.head
  }

  push(item: number): void {
    this.items.push(item)
  }

  peek(): number {
    return this.items[this.head]!
  }

  shift(): number {
    const item = this.items[this.head++]!
    if (this.head > 1024 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
    return item
  }

  takeAll(): Array<number> {
    const all = this.items.slice(this.head)
    this.items = []
    this.head = 0
    return all
  }
}

export class ShardFetching {
  /** Ready groups by the set of peers that may still be asked for them. */
  private readonly buckets = new Map<number, Fifo>()
  /** Answers that were larger than expected: what to draw for the group next time. */
  private readonly grown = new Map<number, number>()
  /** Groups in buckets whose replicas turned out to disagree: they go to the fan-out instead. */
  private readonly disagreed = new Set<number>()
  /** By peer of the job: answers in a row that only said "not now". */
  private readonly pushbacks: Array<number>
  private readonly shard: ShardState
  private readonly fanOut: FanOut
  private readonly deliveries: Deliveries
  private readonly hedges: JobHedges

  constructor(shard: ShardState, fanOut: FanOut, deliveries: Deliveries) {
    this.shard = shard
    this.fanOut = fanOut
    this.deliveries = deliveries
    this.pushbacks = shard.peers.map(() => 0)
    this.hedges = new JobHedges(shard, fanOut, (peer, group) => this.enqueue(peer, group))
  }

  /** A group that became ready, or gets another chance. */
  onReady(group: number): void {
    const { grouping, series } = this.shard
    let checksum = noChecksum
    let mask = 0
    let offers = 0
    let offering = 0
    let agree = true
    for (let peer = 0; peer < this.shard.peers.length; peer++) {
      if (!this.shard.offers(group, peer)) continue
      const own = grouping.checksum(group, peer)
      if (own === noChecksum || offers > 0 && own !== checksum) agree = false
      checksum = own
      offers++
      offering |= 1 << peer
      if (series.tries(group, peer) < this.shard.scope.limits.attemptsPerPeer) mask |= 1 << peer
    }
    if (offers === 0) {
      // Only a peer whose listing proved to be made up advertised it.
      this.shard.onDropped(group)
    } else if (!agree) this.fanOut.add(group)
    else if (mask === 0 || this.isPointless(mask, offering)) this.exhausted(group)
    else this.bucket(mask).push(group)
  }

  private bucket(mask: number): Fifo {
    let bucket = this.buckets.get(mask)
    if (bucket === undefined) this.buckets.set(mask, bucket = new Fifo())
    return bucket
  }

  private exhausted(group: number): void {
    const { series } = this.shard
    if (this.shard.isBestEffort) {
      series.move(group, S.FAILED)
      this.shard.onMissing(group, "every peer that advertised it was tried or is out of reach, and none delivered it")
    } else {
      series.move(group, S.BLOCKED)
      this.shard.onBlocked(group)
    }
  }

  /** A late report contradicts those that agreed so far. What is stored stays; the report tells. */
  onDisagreement(group: number): void {
    const { series } = this.shard
    if (series.state(group) === S.READY) this.disagreed.add(group)
    else if (series.state(group) === S.FETCH_ONE) {
      series.move(group, S.FETCH_ALL)
      this.fanOut.add(group)
    }
  }

  /** Number of groups that wait for a peer with room. */
  get waiting(): number {
    let waiting = this.fanOut.waitingCount
    for (const bucket of this.buckets.values()) waiting += bucket.length
    return waiting
  }

  /**
   * Whether waiting for the peers of `mask`, which still have tries, leads nowhere: none of them can be reached, and best effort does
   * not wait, or there are others, in `offering`, that get fresh tries when the group has been blocked for a while (they may be back).
   */
  private isPointless(mask: number, offering: number): boolean {
    return !this.reachable(mask) && (this.shard.isBestEffort || mask !== offering)
  }

  /** Who can be reached changed: groups that wait for nobody but peers out of reach are looked at again. */
  moveUnreachable(): void {
    for (const [mask, bucket] of this.buckets) {
      if (bucket.length === 0 || this.reachable(mask)) continue
      for (const group of bucket.takeAll()) this.onReady(group)
    }
  }

  /** A peer is not believed any more: everything that waits is looked at again. */
  reconsider(): void {
    for (const bucket of this.buckets.values()) for (const group of bucket.takeAll()) this.onReady(group)
  }

  private reachable(mask: number): boolean {
    return this.shard.peers.some((run, peer) => (mask & (1 << peer)) !== 0 && !isHopeless(this.shard.scope, run))
  }

  /** Gives work to peers as long as their queues have room. */
  assign(): void {
    const { now, queues } = this.shard.scope
    let room = 0
    this.shard.peers.forEach((run, peer) => {
      if (queues.hasRoom(run, now)) room |= 1 << peer
    })
    if (room === 0) return
    this.fanOut.admit()
    for (let peer = 0; peer < this.shard.peers.length; peer++) {
      if ((room & (1 << peer)) !== 0) this.assignFanOut(peer)
    }
    for (const [mask, bucket] of this.buckets) {
      while (bucket.length > 0) {
        const peer = this.choose(bucket.peek(), mask)
        if (peer < 0) break
        this.assignRun(bucket, mask, peer)
      }
    }
  }

  /** Gives the first of a bucket to the peer that was chosen for it, and those behind it for which the choice would be much the same. */
  private assignRun(bucket: Fifo, mask: number, peer: number): void {
    const { now, queues } = this.shard.scope
    const { series } = this.shard
    const run = this.shard.peers[peer]!
    const first = bucket.peek()
    const most = isOne(mask) ? bucket.length : Math.min(longestRun, Math.ceil(bucket.length / runsPerBucket))
    for (let taken = 0; taken < most && (taken === 0 || queues.hasRoom(run, now)); taken++) {
      const group = bucket.peek()
      if (taken > 0 && !series.haveSameTries(group, first)) return
      bucket.shift()
      if (this.disagreed.size > 0 && this.disagreed.delete(group)) this.fanOut.add(group)
      else {
        series.move(group, S.FETCH_ONE)
        this.enqueue(peer, group)
      }
    }
  }

  private assignFanOut(peer: number): void {
    const { now, queues } = this.shard.scope
    const { series } = this.shard
    const list = this.fanOut.toAsk[peer]!
    let taken = 0
    while (taken < list.length && queues.hasRoom(this.shard.peers[peer]!, now)) {
      const group = list[taken++]!
      if (series.state(group) === S.FETCH_ALL && !series.held(group, peer) && !series.asked(group, peer)) {
        this.enqueue(peer, group)
      }
    }
    if (taken > 0) list.splice(0, taken)
  }

  private enqueue(peer: number, group: number): void {
    this.shard.series.setAsked(group, peer, true)
    this.shard.scope.queues.enqueue(this.shard.peers[peer]!, this.shard.job, group, this.expected(group, peer))
  }

  private expected(group: number, peer: number): number {
    return (this.grown.size === 0 ? undefined : this.grown.get(group)) ?? expectedBytes(this.shard, group, peer)
  }

  private choose(group: number, mask: number): number {
    const { now, queues, ranking } = this.shard.scope
    const candidates: Array<Candidate> = []
    for (let peer = 0; peer < this.shard.peers.length; peer++) {
      if ((mask & (1 << peer)) === 0 || !queues.hasRoom(this.shard.peers[peer]!, now)) continue
      candidates.push(queues.candidate(this.shard.peers[peer]!, this.shard.series.tries(group, peer)))
    }
    const chosen = best(ranking, candidates)
    return chosen === undefined ? -1 : this.shard.peers.indexOf(chosen.peer)
  }

  /** Whether an item of a batch still wants to be asked for. */
  isWanted(group: number, peer: number): boolean {
    const { series } = this.shard
    const state = series.state(group)
    return series.asked(group, peer) && (state === S.FETCH_ONE || state === S.FETCH_ALL && !series.held(group, peer))
  }

  /** Bytes to draw for the answer to a request for these groups. */
  answerBytes(groups: ReadonlyArray<number>, request: BlocksRequest, peer: number): number {
    let bytes = answerSlackBytes + groups.length * elementOverheadBytes + requestBytes(request)
    for (const group of groups) bytes += this.expected(group, peer)
    return Math.min(bytes, this.shard.scope.limits.maxAnswerBytes)
  }

  request(groups: ReadonlyArray<number>, namespace: Uint8Array): BlocksRequest {
    return blocksRequest(this.shard, groups, namespace)
  }

  onAnswer(batch: FetchBatch, peer: number, answer: BlocksAnswer, hold: Hold): void {
    const { grouping, scope, series } = this.shard
    this.pushbacks[peer] = 0
    if (answer.usual?.count === batch.groups.length) return this.onUsualAnswer(batch, peer, answer, answer.usual, hold)
    const matched = matchAnswer(grouping, batch, answer)
    if (matched.surplus > 0) {
      const detail = `${answer.elementCount} elements where ${batch.groups.length} were asked for`
      record(scope, batch.peer, "surplus-element", "peer", `blocks of shard ${this.shard.shard}`, detail)
    }
    if (matched.unrequested > 0) {
      const detail =
        `${matched.unrequested} blocks that were not asked for, the first of id ${matched.firstUnrequested}`
      record(scope, batch.peer, "unrequested-block", "peer", `blocks of shard ${this.shard.shard}`, detail)
    }
    for (let slot = 0; slot < batch.groups.length; slot++) {
      const group = batch.groups[slot]!
      series.setAsked(group, peer, false)
      // Somebody else was faster: what comes now says nothing about anybody.
      if (!this.isOpen(group)) continue
      const row = matched.rows[slot]!
      const advertised = grouping.checksum(group, peer)
      if (
        row >= 0 && series.state(group) === S.FETCH_ONE && !matched.more.has(slot) &&
        isAsAdvertised(answer, row, advertised)
      ) {
        scope.tally.peerSeriesBlocks[batch.peer]!++
        this.deliveries.addRow(group, answer, row, advertised, hold)
        continue
      }
      const delivered: Delivered = row < 0
        ? { _tag: "unusable", kind: "advertised-not-delivered", detail: this.advertisement(group, peer) }
        : verifyDelivered(answer, row, matched.more.get(slot), advertised)
      if (delivered._tag !== "unusable") scope.tally.peerSeriesBlocks[batch.peer]!++
      this.take(group, peer, delivered, hold)
    }
    this.deliveries.flush(hold)
  }

  /** Whether a copy of the group would be of use. */
  private isOpen(group: number): boolean {
    const state = this.shard.series.state(group)
    return state === S.FETCH_ONE || state === S.FETCH_ALL
  }

  /** A batch of this job has been out for much longer than it should. */
  onOverdue(batch: FetchBatch, peer: number, overdue: Overdue): void {
    this.hedges.onOverdue(batch, peer, overdue)
  }

  /** Element i of the answer is item i, with one block whose bytes have its checksum: is it the listed one? */
  private onUsualAnswer(
    batch: FetchBatch,
    peer: number,
    answer: BlocksAnswer,
    { rows }: UsualBlocks,
    hold: Hold
  ): void {
    const { grouping, scope, series } = this.shard
    let taken = 0
    for (let slot = 0; slot < batch.groups.length; slot++) {
      const group = batch.groups[slot]!
      series.setAsked(group, peer, false)
      // Somebody else was faster: what comes now says nothing about anybody.
      if (!this.isOpen(group)) continue
      taken++
      const advertised = grouping.checksum(group, peer)
      if (rows[4 * slot + 3] === advertised && series.state(group) === S.FETCH_ONE) {
        this.deliveries.addRow(group, answer, slot, advertised, hold)
      } else this.take(group, peer, verifyDelivered(answer, slot, undefined, advertised), hold)
    }
    scope.tally.peerSeriesBlocks[batch.peer]! += taken
    this.deliveries.flush(hold)
  }

  private advertisement(group: number, peer: number): string {
    const checksum = this.shard.grouping.checksum(group, peer)
    const text = checksum === absentChecksum ? "no checksum" : `checksum 0x${checksum.toString(16).padStart(8, "0")}`
    return `advertised ${this.shard.grouping.size(group, peer)} bytes with ${text}, delivered nothing`
  }

  private take(group: number, peer: number, delivered: Delivered, hold: Hold): void {
    const { series } = this.shard
    if (delivered._tag === "unusable") {
      if (this.deliveries.leftRetention(series.block(group))) return this.drop(group, peer)
      noteDamage(this.shard, { group, peer, kind: delivered.kind, detail: delivered.detail })
      const isAlone = this.shard.grouping.reporters(group) === 1
      if (isAlone && delivered.kind === "advertised-not-delivered") this.shard.onUndelivered(peer)
      this.failed(group, peer, true)
      return
    }
    // Several segments are how a node answers for a block that is partly in memory: the points tell, not the checksum.
    if (delivered._tag === "differs" && delivered.segments.length === 1) {
      // A block may change after its listing, and with cold writes an old one, too: no proof of anything.
      const kind = "delivered-differs-from-advertised"
      if (!this.shard.isMutable(series.block(group))) {
        noteDamage(this.shard, { group, peer, kind, detail: delivered.detail })
      } else {record(
          this.shard.scope,
          this.shard.peers[peer]!,
          kind,
          "unknown",
          this.shard.subject(group),
          delivered.detail
        )}
    }
    switch (series.state(group)) {
      case S.FETCH_ONE: {
        if (delivered._tag === "as-advertised") {
          this.deliveries.addPieces(group, delivered.segments[0]!, delivered.checksum, hold)
        } else {
          series.move(group, S.FETCH_ALL)
          this.fanOut.add(group)
        }
        return
      }
      case S.FETCH_ALL: {
        this.fanOut.hold(group, peer, delivered)
        this.fanOut.evaluate(group)
      }
    }
  }

  private drop(group: number, peer: number): void {
    const { series } = this.shard
    if (series.state(group) === S.FETCH_ONE) series.move(group, S.READY)
    series.addTry(group, peer)
    this.shard.onDropped(group)
  }

  /** The item did not come from this peer. */
  private failed(group: number, peer: number, costsTry: boolean): void {
    const { scope, series } = this.shard
    scope.tally.retries++
    if (costsTry) series.addTry(group, peer)
    if (series.state(group) === S.FETCH_ONE) {
      // The other peer that was asked may yet deliver.
      if (this.hedges.isAskedElsewhere(group, peer)) return
      series.move(group, S.READY)
      this.onReady(group)
    } else if (series.state(group) === S.FETCH_ALL) {
      this.fanOut.askAgain(group, peer)
      this.fanOut.evaluate(group)
    }
  }

  onAnswerFailed(batch: FetchBatch, peer: number, failure: CallFailure): void {
    const { scope, series } = this.shard
    noteFailedCall(scope, batch.peer, `blocks of shard ${this.shard.shard}`, failure)
    const tooLarge = failure.reason === "too-large"
    if (failure.reason === "overloaded") this.pushbacks[peer]!++
    // Best effort ends: a peer that never takes a request is given up some time, though it is not blamed.
    const worn = this.shard.isBestEffort && this.pushbacks[peer]! >= pushbacksPerFailure
    for (const group of batch.groups) {
      series.setAsked(group, peer, false)
      if (!this.isOpen(group)) continue
      let costsTry = worn || !isItemBlameless(failure.reason)
      if (tooLarge) {
        const next = Math.max(4096, this.expected(group, peer)) * 2
        costsTry = next > scope.limits.maxBlockBytes
        this.grown.set(group, Math.min(next, scope.limits.maxBlockBytes))
      }
      this.failed(group, peer, costsTry)
    }
  }

  /** Queued work that its peer will not do now: it goes back to where every peer can be chosen. */
  withdrawn(peer: number, group: number): void {
    const { series } = this.shard
    series.setAsked(group, peer, false)
    if (series.state(group) === S.FETCH_ONE) {
      if (this.hedges.isAskedElsewhere(group, peer)) return this.hedges.withdrawn(group)
      series.move(group, S.READY)
      this.onReady(group)
    } else if (series.state(group) === S.FETCH_ALL && !series.held(group, peer)) {
      this.fanOut.toAsk[peer]!.push(group)
      this.fanOut.evaluate(group)
    }
  }

  clear(): void {
    this.buckets.clear()
    this.disagreed.clear()
    this.hedges.clear()
    this.grown.clear()
  }
}
