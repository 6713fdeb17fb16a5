/**
 * One job from the first metadata page to the last published block: listing, grouping, choosing and fetching run at the same time.
 *
 *   ShardListing ─► Grouping ─► ready ─► ShardFetching ─► verified ─► Deliveries ─► sink
 *                                  └► FanOut ─► merged ───────────────┘
 */
import { majority } from "@peerstrap/consistency-policy"
import { type BlocksAnswer, type BlocksRequest, type MetadataPage, toHex } from "@peerstrap/m3db-wire"
import { type Grouping, makePackedGrouping } from "@peerstrap/metadata-grouping"
import type { BlockKey } from "../contract/BlockSink.ts"
import type { CallFailure, StreamJob } from "../contract/StreamRun.ts"
import { Deliveries } from "./Deliveries.ts"
import { Divergences } from "./Divergences.ts"
import { FanOut, type MergedBlock } from "./FanOut.ts"
import type { FetchBatch } from "./FetchBatch.ts"
import type { Overdue } from "./Hedging.ts"
import { type Hold, releaseHold, type RunScope } from "./RunScope.ts"
import { SeriesBlocks, SeriesState } from "./SeriesBlock.ts"
import { ShardFetching } from "./ShardFetching.ts"
import { ShardListing } from "./ShardListing.ts"
import type { ShardState } from "./ShardState.ts"

const S = SeriesState

const textEncoder = new TextEncoder()

export class ShardStream implements ShardState {
  readonly scope: RunScope
  readonly job: number
  readonly shard: number
  readonly peers: ReadonlyArray<number>
  readonly majority: number
  readonly grouping: Grouping
  readonly series: SeriesBlocks
  readonly listing: ShardListing
  readonly fetching: ShardFetching
  readonly fanOut: FanOut
  readonly deliveries: Deliveries
  readonly divergences: Divergences
  readonly blocked: Array<number> = []
  blockedRetries = 0
  blockedUntilMillis = Number.POSITIVE_INFINITY
  readonly sinceMillis: number
  lastProgressMillis: number
  private readonly starts: ReadonlyArray<bigint>
  private readonly namespace: Uint8Array
  private listingReserved = 0
  /** Bytes of metadata that the ledger had no room for when they came. */
  private owedBytes = 0
  /** A peer is not believed any more: what only it advertised is to be dropped. */
  private lostTrust = false
  private ready: Array<number> = []
  /** Reports that came for groups which were ready, as group and peer in turn. */
  private added: Array<number> = []

  constructor(scope: RunScope, job: number, spec: StreamJob) {
    this.scope = scope
    this.job = job
    this.shard = spec.shard
    this.peers = spec.peers
    this.starts = spec.blockStarts
    this.majority = majority(scope.options.replicationFactor)
    this.namespace = textEncoder.encode(scope.options.namespace)
    this.grouping = makePackedGrouping({
      peerCount: spec.peers.length,
      // How many bytes the ledger decides, page by page: its capacity may change while the job is at work.
      maxGroups: scope.limits.maxGroupsPerJob,
      seed: Math.floor(scope.random() * Number.MAX_SAFE_INTEGER)
    })
    this.series = new SeriesBlocks(spec.peers.length)
    this.listing = new ShardListing(this, spec.blockStarts)
    this.fanOut = new FanOut(this)
    this.deliveries = new Deliveries(this, spec.blockStarts.length)
    this.fetching = new ShardFetching(this, this.fanOut, this.deliveries)
    this.divergences = new Divergences(this, (peer) => this.listing.listings[peer]!.state === "FINISHED")
    this.sinceMillis = scope.now
    this.lastProgressMillis = scope.now
  }

  get isBestEffort(): boolean {
    return this.scope.level === "none" || this.scope.options.errorPolicy === "000"
  }

  get isSealed(): boolean {
    return this.deliveries.blocks.some((state) => state === "committing" || state === "committed")
  }

  peerId(peer: number): string {
    return this.scope.options.peers[this.peers[peer]!]!
  }

  key(block: number): BlockKey {
    return { shard: this.shard, blockStart: this.starts[block]! }
  }

  isMutable(block: number): boolean {
    const { immutableEnd } = this.scope.options
    return immutableEnd !== undefined && this.starts[block]! >= immutableEnd
  }

  get blockStarts(): ReadonlyArray<bigint> {
    return this.starts
  }

  private hexId(group: number): string {
    return toHex(this.grouping.id(group))
  }

  subject(group: number): string {
    return `shard ${this.shard} block ${this.starts[this.series.block(group)]} id ${this.hexId(group)}`
  }

  offers(group: number, peer: number): boolean {
    return this.grouping.has(group, peer) && !this.listing.distrusted[peer]
  }

  onUndelivered(peer: number): void {
    if (this.listing.onUndelivered(peer)) this.lostTrust = true
  }

  onMissing(group: number, reason: string): void {
    const block = this.series.block(group)
    this.scope.tally.missing.add(() => ({
      shard: this.shard,
      blockStart: String(this.starts[block]),
      id: this.hexId(group),
      peers: this.peers.flatMap((_, peer) => (this.offers(group, peer) ? [this.peerId(peer)] : [])),
      reason
    }))
    this.deliveries.onTerminal(block)
  }

  onDropped(group: number): void {
    this.series.move(group, S.DROPPED)
    this.scope.tally.dropped++
    this.deliveries.onTerminal(this.series.block(group))
  }

  onBlocked(group: number): void {
    this.blocked.push(group)
    if (this.blockedUntilMillis === Number.POSITIVE_INFINITY) {
      const { blockedBaseMillis, blockedCapMillis } = this.scope.limits
      const pause = Math.min(blockedCapMillis, blockedBaseMillis * 2 ** Math.min(this.blockedRetries, 16))
      this.blockedUntilMillis = this.scope.now + pause * (0.5 + this.scope.random() / 2)
      this.blockedRetries++
    }
  }

  /** Everything of the job is published or dropped. */
  get isDone(): boolean {
    return this.deliveries.isSettled && this.deliveries.unwritten === 0
  }

  get hasWork(): boolean {
    return this.fanOut.hasWork
  }

  /** Memory is full: gives up the listing that takes most of it, where the level is met without it. */
  putAside(): boolean {
    if (!this.listing.putAside()) return false
    this.takeReady()
    return true
  }

  /** Bytes that metadata and held copies of this job take, those that found no room in the ledger included. */
  get heldBytes(): number {
    return this.listingReserved + this.owedBytes + this.fanOut.heldBytes
  }

  /**
   * Whether this job waits for memory and nothing of it is under way that could give some back. `isRefused`: so is the batch that is to
   * leave next, of whatever job.
   */
  isStuckOnMemory(isRefused: boolean): boolean {
    const { deliveries, fanOut, fetching, listing } = this
    if (listing.isAsking || deliveries.isBusy || fanOut.hasWork) return false
    const toFetch = this.series.inState[S.FETCH_ONE]! + this.series.inState[S.FETCH_ALL]! + fetching.waiting
    if (isRefused && toFetch > 0) return true
    const isFetching = this.series.inState[S.FETCH_ONE]! > 0 || fetching.waiting > fanOut.waitingCount
    return !isFetching && (fanOut.isStarved || listing.paused && fanOut.waitingCount === 0)
  }

  onPage(peer: number, page: MetadataPage): void {
    const before = this.series.count
    const local = this.peers.indexOf(peer)
    const wasDistrusted = this.listing.distrusted[local]!
    this.listing.onPage(local, page)
    for (let group = before; group < this.series.count; group++) this.deliveries.open[this.series.block(group)]!++
    this.lastProgressMillis = this.scope.now
    this.takeReady()
    this.takeAdded()
    if (this.listing.listings[local]!.state === "FINISHED" && this.listing.stragglers.overtaken[local] === true) {
      this.divergences.onFinishedLate(local)
    }
    // Nobody waits for copies of a peer that is not believed any more.
    if (this.listing.distrusted[local] !== wasDistrusted) this.fanOut.evaluateAll()
    this.accountListing()
  }

  private dropUnbelieved(): void {
    this.lostTrust = false
    this.takeReady()
    this.fetching.reconsider()
    this.fanOut.evaluateAll()
    this.retryBlocked()
  }

  onAdded(group: number, peer: number): void {
    this.added.push(group, peer)
  }

  /** Reports that came late: one that disagrees sends its group to the fan-out, as long as it is not settled. */
  private takeAdded(): void {
    for (let at = 0; at < this.added.length; at += 2) {
      const group = this.added[at]!
      const peer = this.added[at + 1]!
      this.divergences.onAdded(group, peer)
      if (this.series.state(group) === S.FETCH_ALL) this.fanOut.join(group, peer)
      else if (this.divergences.agree(group, peer) && !this.divergences.agree(group)) {
        this.fetching.onDisagreement(group)
      }
    }
    this.added.length = 0
  }

  onPageFailed(peer: number, failure: CallFailure): void {
    this.listing.onFailure(this.peers.indexOf(peer), failure)
    this.takeReady()
  }

  private accountListing(): void {
    const { ledger } = this.scope
    const held = this.grouping.bytes + this.series.bytes + this.listing.indexBytes
    const more = held - this.listingReserved
    if (more < 0) ledger.release("listing", -more)
    else if (!ledger.tryReserve("listing", more)) {
      this.owedBytes = more
      return
    }
    this.owedBytes = 0
    this.listingReserved = held
  }

  drawOwed(): boolean {
    if (this.owedBytes > 0) this.accountListing()
    return this.owedBytes === 0
  }

  private takeReady(): void {
    this.ready.length = 0
    this.grouping.drainReady(this.ready)
    for (const group of this.ready) {
      this.series.move(group, S.READY)
      this.divergences.onReady(group)
      this.fetching.onReady(group)
    }
  }

  /** Asks for pages and gives out work, as far as memory, peers and limits allow. */
  pump(mayList: boolean): void {
    if (this.scope.now >= this.blockedUntilMillis) this.retryBlocked()
    this.drawOwed()
    if (mayList) this.listing.pump()
    this.lookAtStragglers()
    this.fetching.assign()
    this.commit()
  }

  private lookAtStragglers(): void {
    this.listing.lookAtStragglers(this.isSettled, () => this.divergences.isAny)
    this.takeReady()
  }

  /** Every series-block that is known is in a final state. */
  private get isSettled(): boolean {
    return this.deliveries.open.every((open) => open === 0)
  }

  /** Only listings that the level does not need are still under way: others may start meanwhile. */
  get lingers(): boolean {
    return !this.listing.isOver && this.listing.stragglers.isWaiting
  }

  /** The level changed. */
  onLevel(): void {
    this.listing.onLevel()
    this.onCircumstancesChanged()
  }

  /** The level, or who can be reached, changed. */
  onCircumstancesChanged(): void {
    this.listing.settle()
    this.takeReady()
    this.fanOut.evaluateAll()
    this.fetching.moveUnreachable()
    if (this.isBestEffort) this.failBlocked()
  }

  private failBlocked(): void {
    for (const group of this.blocked.splice(0)) {
      if (this.series.state(group) !== S.BLOCKED) continue
      this.series.move(group, S.FAILED)
      this.onMissing(group, "every peer that advertised it was tried and none delivered it")
    }
    this.blockedUntilMillis = Number.POSITIVE_INFINITY
  }

  /** Gives everything that nobody could deliver fresh tries. */
  retryBlocked(): void {
    this.blockedUntilMillis = Number.POSITIVE_INFINITY
    for (const group of this.blocked.splice(0)) {
      if (this.series.state(group) !== S.BLOCKED) continue
      if (this.fanOut.holds(group)) {
        this.series.move(group, S.FETCH_ALL)
        // Nobody is left to be asked when those that are missing are not believed any more.
        if (!this.fanOut.retry(group)) this.fanOut.evaluate(group)
      } else {
        this.series.clearTries(group)
        this.series.move(group, S.READY)
        this.fetching.onReady(group)
      }
    }
  }

  /** Items of a batch that are still wanted. */
  wanted(items: ReadonlyArray<number>, peer: number): ReadonlyArray<number> {
    const { fetching } = this
    const local = this.peers.indexOf(peer)
    // Nearly always all of them.
    for (let i = 0; i < items.length; i++) {
      if (!fetching.isWanted(items[i]!, local)) return items.filter((group) => fetching.isWanted(group, local))
    }
    return items
  }

  /** The request for these groups, and the bytes to draw for its answer. */
  answerNeed(
    groups: ReadonlyArray<number>,
    peer: number
  ): { readonly request: BlocksRequest; readonly reserved: number } {
    const request = this.fetching.request(groups, this.namespace)
    return { request, reserved: this.fetching.answerBytes(groups, request, this.peers.indexOf(peer)) }
  }

  onAnswer(batch: FetchBatch, answer: BlocksAnswer, hold: Hold): void {
    this.fetching.onAnswer(batch, this.peers.indexOf(batch.peer), answer, hold)
    if (this.lostTrust) this.dropUnbelieved()
    this.lastProgressMillis = this.scope.now
  }

  /** Whether this job made the delivery. */
  onWritten(delivery: number): boolean {
    const mine = this.deliveries.onWritten(delivery)
    if (mine) this.lastProgressMillis = this.scope.now
    return mine
  }

  onCommitted(block: number): void {
    this.deliveries.onCommitted(block)
    this.lastProgressMillis = this.scope.now
  }

  onAnswerFailed(batch: FetchBatch, failure: CallFailure): void {
    this.fetching.onAnswerFailed(batch, this.peers.indexOf(batch.peer), failure)
  }

  /** A batch of this job has been out for much longer than it should. */
  onOverdue(batch: FetchBatch, overdue: Overdue): void {
    this.fetching.onOverdue(batch, this.peers.indexOf(batch.peer), overdue)
  }

  withdrawn(peer: number, group: number): void {
    this.fetching.withdrawn(this.peers.indexOf(peer), group)
  }

  /** Merges one slice and delivers the result as one batch a block. */
  work(): void {
    const merged: Array<MergedBlock> = []
    this.fanOut.mergeSlice(merged)
    if (merged.length === 0) return
    const hold: Hold = { account: "copies", bytes: 0, references: 1 }
    for (const one of merged) {
      hold.bytes += one.reserved
      if (one.merged._tag === "merged") this.scope.tally.merged++
      this.deliveries.addPieces(one.group, one.merged.pieces, one.merged.checksum, hold)
    }
    this.deliveries.flush(hold)
    releaseHold(this.scope, hold)
    this.lastProgressMillis = this.scope.now
  }

  /** Ends the job in order: what is whole is published, the rest dropped. */
  stop(): void {
    this.deliveries.abortIncomplete(this.listing.isConfirmed)
    this.listing.abandon()
  }

  /** Publishes what is whole. */
  commit(): void {
    if (this.listing.isConfirmed) this.deliveries.commitReady(this.listing.successes)
  }

  /** Gives all memory back. Only when nothing of the job is in flight. */
  release(): void {
    this.fanOut.clear()
    this.fetching.clear()
    this.grouping.clear()
    this.scope.ledger.release("listing", this.listingReserved)
    this.listingReserved = 0
    this.owedBytes = 0
  }
}
