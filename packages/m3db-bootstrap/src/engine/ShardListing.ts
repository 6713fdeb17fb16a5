/**
 * The metadata side of one job: lists from all of its peers at once, feeds the grouping, and decides when the level is met.
 * A peer that keeps failing is given up only where the level is met without it. (specs: peer streaming 3.4, 3.13)
 */
import { readConsistencyAchieved } from "@peerstrap/consistency-policy"
import type { CallErrorReason, MetadataPage } from "@peerstrap/m3db-wire"
import type { Verdict } from "@peerstrap/peer-selection"
import type { CallFailure } from "../contract/StreamRun.ts"
import { failureKind, pushbacksPerFailure } from "./CallFailures.ts"
import { ListingRows } from "./ListingRows.ts"
import { MetadataListing } from "./MetadataListing.ts"
import { isHopeless, record } from "./RunScope.ts"
import { SeriesState } from "./SeriesBlock.ts"
import type { ShardState } from "./ShardState.ts"
import { Stragglers } from "./Stragglers.ts"
import { noteFailedCall } from "./Verdicts.ts"

const textEncoder = new TextEncoder()

/** A listing with so many times the records of any other one is far ahead. */
const farAheadFactor = 4

/** Below so many records nobody is far ahead: about one page. */
const farAheadRecords = 4096

export class ShardListing {
  readonly listings: ReadonlyArray<MetadataListing>
  readonly lastReason: Array<CallErrorReason | undefined>
  /** Peers whose listing proved to be made up: what only they advertise is not asked for. A listing that ends clears it. */
  readonly distrusted: Array<boolean>
  /** The level was met at some time: a listing that is over without that publishes nothing. */
  wasMet = false
  /** Metadata that waits for memory. */
  paused = false
  readonly stragglers: Stragglers
  /** By peer: why it was given up. */
  private readonly reasons: Array<string | undefined>
  private readonly shard: ShardState
  private readonly starts: ReadonlyArray<bigint>
  private readonly rows: ListingRows
  private readonly pushbacks: Array<number>
  private readonly undelivered: Array<number>
  /** By peer: records that it had listed when it was not believed for the first time. */
  private readonly doubted: Array<number>
  private readonly pageReserved: Array<number>
  private readonly namespace: Uint8Array

  constructor(shard: ShardState, blockStarts: ReadonlyArray<bigint>) {
    this.shard = shard
    this.starts = blockStarts
    this.rows = new ListingRows(shard, blockStarts)
    this.listings = shard.peers.map(() => new MetadataListing(shard.scope.limits))
    this.lastReason = shard.peers.map(() => undefined)
    this.distrusted = shard.peers.map(() => false)
    this.reasons = shard.peers.map(() => undefined)
    this.stragglers = new Stragglers(this.listings, shard.scope.limits)
    this.pushbacks = shard.peers.map(() => 0)
    this.undelivered = shard.peers.map(() => 0)
    this.doubted = shard.peers.map(() => 0)
    this.pageReserved = shard.peers.map(() => 0)
    this.namespace = textEncoder.encode(shard.scope.options.namespace)
  }

  /** Bytes that sinks will hold for index entries of this job. */
  get indexBytes(): number {
    return this.rows.indexBytes
  }

  get successes(): number {
    return this.listings.filter((listing) => listing.state === "FINISHED").length
  }

  get isOver(): boolean {
    return this.listings.every((listing) => listing.over)
  }

  /** Nothing more is listed, and the level allows to go by that. */
  get isConfirmed(): boolean {
    return this.isOver && (this.wasMet || this.levelMet)
  }

  get isAsking(): boolean {
    return this.listings.some((listing) => listing.state === "ASKING")
  }

  /** Once a block is published a level that rises cannot call peers back: the listing goes by the level that allowed it. */
  get levelMet(): boolean {
    return this.shard.isSealed || this.isAchieved
  }

  /** Listings that are finished meet the level. */
  get isMet(): boolean {
    return this.successes > 0 && this.isAchieved
  }

  private get isAchieved(): boolean {
    const { majority, peers, scope } = this.shard
    return readConsistencyAchieved(scope.level, majority, peers.length, this.successes)
  }

  /** Asks for the next page of every peer that may be asked now. */
  pump(): void {
    const { ledger, limits, now, queues } = this.shard.scope
    this.paused = false
    for (let peer = 0; peer < this.listings.length; peer++) {
      const listing = this.listings[peer]!
      if (listing.state === "RESTING" && now >= listing.restUntilMillis) listing.move("IDLE")
      if (listing.state !== "IDLE" || queues.state(this.shard.peers[peer]!).restUntilMillis > now) continue
      const reserve = this.pageReserve
      const listed = ledger.usedBy("listing") + ledger.usedBy("pages")
      if (this.isHeldBack(peer, listed)) continue
      const hasShare = listed + reserve <= ledger.capacity * limits.listingShare
      if (!this.shard.drawOwed() || !hasShare || !ledger.tryReserve("pages", reserve)) {
        this.paused = true
        continue
      }
      if (!queues.beginCall(this.shard.peers[peer]!, now)) {
        // Its breaker is half-open, and another call probes it.
        ledger.release("pages", reserve)
        continue
      }
      this.pageReserved[peer] = reserve
      listing.move("ASKING")
      if (listing.beganMillis < 0) listing.beganMillis = now
      this.ask(peer, listing, reserve)
    }
  }

  /** Bytes that are drawn before a page is asked for. */
  get pageReserve(): number {
    const { ledger, limits } = this.shard.scope
    return Math.min(limits.maxPageBytes, Math.max(64 << 10, Math.floor(ledger.capacity / 64)))
  }

  private ask(peer: number, listing: MetadataListing, reserve: number): void {
    const { options } = this.shard.scope
    this.shard.scope.emit({
      _tag: "list",
      job: this.shard.job,
      peer: this.shard.peers[peer]!,
      request: {
        namespace: this.namespace,
        shard: this.shard.shard,
        rangeStart: this.starts[0]!,
        rangeEnd: this.starts[this.starts.length - 1]! + options.blockSizeNanos,
        limit: listing.ask(Math.max(16, Math.floor(reserve / 512))),
        pageToken: listing.token
      },
      maxAnswerBytes: reserve
    })
  }

  private releasePage(peer: number): void {
    this.shard.scope.ledger.release("pages", this.pageReserved[peer]!)
    this.pageReserved[peer] = 0
  }

  onPage(peer: number, page: MetadataPage): void {
    const { queues, tally } = this.shard.scope
    const listing = this.listings[peer]!
    if (listing.state !== "ASKING") return
    this.releasePage(peer)
    queues.observe(this.shard.peers[peer]!, "ok", "", this.shard.scope.now)
    tally.peerPages[this.shard.peers[peer]!]!++
    this.pushbacks[peer] = 0
    this.lastReason[peer] = undefined
    // What the page before brought is not drawn yet: this one is asked for again when it is.
    if (!this.shard.drawOwed()) return listing.move("IDLE")
    const fresh = this.rows.take(peer, page)
    const doubt = listing.onPage(page, fresh)
    if (doubt !== undefined) this.distrust(peer, "peer", doubt)
    else if (!listing.over && this.distrusted[peer] && listing.records > 2 * this.doubted[peer]!) {
      // Begun again, and as endless as before.
      this.distrust(peer, "unknown", listing.lastError)
    } else if (listing.over) {
      listing.tookMillis = this.shard.scope.now - listing.beganMillis
      this.distrusted[peer] = false
      this.shard.grouping.finish(peer)
    }
    this.settle()
  }

  onFailure(peer: number, failure: CallFailure): void {
    const { limits, now, queues, random } = this.shard.scope
    const listing = this.listings[peer]!
    if (listing.state !== "ASKING") return
    this.releasePage(peer)
    const kind = failureKind(failure.reason)
    if (kind === undefined) queues.endCall(this.shard.peers[peer]!)
    if (failure.reason === "too-large" && listing.shrink()) return
    this.lastReason[peer] = failure.reason
    if (kind !== undefined) queues.observe(this.shard.peers[peer]!, kind, failure.message, now)
    noteFailedCall(this.shard.scope, this.shard.peers[peer]!, `listing of shard ${this.shard.shard}`, failure)
    const failures = listing.failures + 1
    const pause = Math.min(limits.blockedCapMillis, 100 * 2 ** Math.min(failures, 12)) * (0.5 + random() / 2)
    if (kind === "pushback") this.pushbacks[peer]!++
    // Connections that are cut in the middle of a page may let a smaller one through.
    if (failure.receivedBytes > 0 && (failure.reason === "closed" || failure.reason === "timeout")) listing.halve()
    listing.onFailure({
      message: failure.message,
      restUntilMillis: now + pause,
      restart: failure.reason === "bad-request",
      counts: kind !== "pushback" || this.pushbacks[peer]! % pushbacksPerFailure === 0
    })
    this.failRunWhereRetryingIsPointless(failure)
    this.settle()
  }

  private failRunWhereRetryingIsPointless(failure: CallFailure): void {
    const { scope } = this.shard
    const everyPeerSays = (reason: CallErrorReason): boolean => this.lastReason.every((last) => last === reason)
    if (scope.options.errorPolicy === "000") {
      const worn = this.listings.findIndex((listing) => listing.failures >= scope.limits.failuresUntilHopeless)
      if (worn >= 0) {
        scope.failure ??= {
          _tag: "failed",
          fault: "peers",
          message: `metadata of shard ${this.shard.shard} from peer ${
            this.shard.peerId(worn)
          } failed: ${failure.message}`,
          remedy: "--error-policy 002 retries until the level is met"
        }
      }
    }
    const remedies: Partial<Record<CallErrorReason, string>> = {
      "unknown-namespace": `no peer knows the namespace "${scope.options.namespace}": check --namespace`,
      "not-owned": `no peer holds shard ${this.shard.shard}: check --shards and --num-shards, or give the --placement`,
      "other-protocol": "none of the addresses is an M3DB node's TChannel port (default 9000): check --peer"
    }
    const remedy = remedies[failure.reason]
    if (remedy !== undefined && everyPeerSays(failure.reason)) {
      scope.failure ??= { _tag: "failed", fault: "usage", message: failure.message, remedy }
    }
  }

  private distrust(peer: number, verdict: Verdict, detail: string): void {
    const { peers, scope, shard } = this.shard
    const listing = this.listings[peer]!
    record(scope, peers[peer]!, "endless-listing", verdict, `listing of shard ${shard}`, detail)
    this.distrusted[peer] = true
    this.doubted[peer] ||= listing.records
    listing.lastError = detail
    if (listing.over) return
    if (this.levelMet) return this.giveUp(peer, detail)
    // The level needs this peer: whatever is wrong with it may be mended.
    this.cancelCall(peer)
    this.undelivered[peer] = 0
    listing.startOver(this.pauseEnd(listing))
  }

  /**
   * The peer did not deliver a series-block that nobody else advertised. Many such, while it goes on listing and has delivered none of its
   * own, prove that the listing is made up. True when it is not believed any more.
   */
  onUndelivered(peer: number): boolean {
    const { grouping, scope, series } = this.shard
    const times = ++this.undelivered[peer]!
    const listing = this.listings[peer]!
    if (times % scope.limits.undeliveredProof !== 0 || listing.state === "FINISHED" || this.distrusted[peer]) {
      return false
    }
    if (this.successes === 0) return false
    for (let group = 0; group < series.count; group++) {
      const isStored = series.state(group) === SeriesState.STORED
      if (isStored && grouping.has(group, peer) && grouping.reporters(group) === 1) return false
    }
    const detail =
      `listed ${listing.records} records and goes on; of those that nobody else lists ${times} were asked for ` +
      "and none was delivered"
    this.distrust(peer, "peer", detail)
    return true
  }

  /**
   * Memory for metadata is full. Gives up the listing that has taken most of it, when a majority and the level have listed without it; what
   * it listed so far is kept, and the blocks are reported as incomplete. False when there is none.
   */
  putAside(): boolean {
    if (!this.levelMet || this.successes < Math.max(1, this.shard.majority)) return false
    const open = [...this.listings.keys()].filter((peer) => !this.listings[peer]!.over)
    const largest = open.toSorted((a, b) => this.listings[b]!.records - this.listings[a]!.records)[0]
    if (largest === undefined) return false
    const { ledger, tally } = this.shard.scope
    const id = this.shard.peerId(largest)
    const reason = `memory for metadata is full (${ledger.usedBy("listing")} bytes): ${id} listed ` +
      `${this.listings[largest]!.records} records and was not done, what else it holds is unknown; raise --memory`
    this.giveUp(largest, reason)
    for (const start of this.starts) {
      tally.missing.add(() => ({ shard: this.shard.shard, blockStart: String(start), peers: [id], reason }))
    }
    return true
  }

  /** Whether the listing has brought far more than any other one, `margin` records not counted. */
  private isFarAhead(peer: number, margin: number): boolean {
    let most = 0
    this.listings.forEach((listing, other) => {
      if (other !== peer) most = Math.max(most, listing.records)
    })
    return this.listings[peer]!.records > farAheadFactor * most + margin
  }

  /** One listing may not take the memory that others need to come as far: while they are under way it gets half of the share. */
  private isHeldBack(peer: number, listedBytes: number): boolean {
    const { ledger, limits } = this.shard.scope
    if (listedBytes < (ledger.capacity * limits.listingShare) / 2 || !this.isFarAhead(peer, farAheadRecords)) {
      return false
    }
    return this.listings.some((listing, other) =>
      other !== peer && listing.failures === 0 && (listing.state === "ASKING" || listing.state === "IDLE")
    )
  }

  private cancelCall(peer: number): void {
    const { job, peers, scope } = this.shard
    if (this.listings[peer]!.state !== "ASKING") return
    this.releasePage(peer)
    scope.queues.endCall(peers[peer]!)
    scope.emit({ _tag: "cancel", call: { kind: "list", job, peer: peers[peer]! } })
  }

  private giveUp(peer: number, reason: string): void {
    this.cancelCall(peer)
    this.listings[peer]!.move("GIVEN_UP")
    this.reasons[peer] = reason
    this.shard.grouping.unwait(peer)
  }

  /** Tells of the listings that did not finish. */
  tellUnlisted(): void {
    for (const [peer, reason] of this.reasons.entries()) {
      if (reason === undefined) continue
      this.shard.scope.tally.unlisted.add(() => ({
        shard: this.shard.shard,
        peer: this.shard.peerId(peer),
        reason
      }))
    }
  }

  /** The level changed. One that asks for more than finished listings gives calls those back that were given up. */
  onLevel(): void {
    if (this.levelMet) return
    const { now } = this.shard.scope
    for (const [peer, listing] of this.listings.entries()) {
      if (listing.state !== "GIVEN_UP") continue
      this.wasMet = false
      this.reasons[peer] = undefined
      listing.failures = 0
      if (this.distrusted[peer]) listing.startOver(this.pauseEnd(listing))
      else listing.move("IDLE")
      this.shard.scope.emit({
        _tag: "note",
        name: "peer-called-back",
        fields: { peer: this.shard.peerId(peer), shard: this.shard.shard, level: this.shard.scope.level, atMillis: now }
      })
    }
  }

  private pauseEnd(listing: MetadataListing): number {
    const { limits, now, random } = this.shard.scope
    const pause = Math.min(limits.blockedCapMillis, limits.blockedBaseMillis * 2 ** Math.min(listing.restarts, 16))
    return now + pause * (0.5 + random() / 2)
  }

  /** Time passed, or the job came further: nobody waits for ever for listings that others have overtaken. */
  lookAtStragglers(isSettled: boolean, disagrees: () => boolean): void {
    const { majority, scope } = this.shard
    const { givenUp, overtaken } = this.stragglers.look({
      level: scope.level,
      majority,
      nowMillis: scope.now,
      // Under policy 000 a listing that fails ends the run: it is waited for until it has.
      isMet: this.successes > 0 && this.levelMet && scope.options.errorPolicy !== "000",
      isSettled,
      disagrees,
      isPaused: this.paused
    })
    for (const peer of overtaken) this.shard.grouping.unwait(peer)
    for (const peer of givenUp) this.giveUp(peer, this.stragglers.reason(peer, scope.now))
  }

  /** Gives up listings that nobody has to wait for; called after anything changed that may allow it. */
  settle(): void {
    if (!this.levelMet) return
    this.wasMet = true
    const longest = Math.max(0, ...this.listings.map((listing) => (listing.state === "FINISHED" ? listing.pages : 0)))
    for (let peer = 0; peer < this.listings.length; peer++) {
      const listing = this.listings[peer]!
      if (listing.over || listing.state === "ASKING") continue
      const hopeless = isHopeless(this.shard.scope, this.shard.peers[peer]!)
      const { failuresUntilHopeless } = this.shard.scope.limits
      // A whole timeout of silence has been patience enough.
      const silent = listing.failures > 0 && this.lastReason[peer] === "timeout"
      const worn = silent || listing.failures >= failuresUntilHopeless || hopeless && listing.failures > 0
      if (worn || this.distrusted[peer]) {
        this.giveUp(peer, listing.lastError)
      } else if (hopeless && listing.pages === 0) {
        // Known to be down from other work; this job never got to ask.
        listing.lastError = this.shard.scope.queues.state(this.shard.peers[peer]!).lastFailureMessage ?? "not reachable"
        this.giveUp(peer, listing.lastError)
      } else if (hopeless && this.stragglers.overtaken[peer] === true && this.isFarAhead(peer, farAheadRecords)) {
        const words = this.shard.scope.queues.state(this.shard.peers[peer]!).lastFailureMessage ?? "no answer"
        const detail =
          `listed ${listing.records} records and goes on, far more than the others; no block can be fetched: ${words}`
        this.giveUp(peer, detail)
      } else if (longest > 0 && listing.runsAway(longest)) {
        const detail =
          `${listing.pages} pages with ${listing.records} records where other peers needed ${longest} pages`
        // A comparison, no proof: the others may have lost what this one holds.
        this.distrust(peer, "unknown", detail)
      }
    }
  }

  /** Ends every open listing; answers that still come find nobody. */
  abandon(): void {
    for (let peer = 0; peer < this.listings.length; peer++) {
      if (this.pageReserved[peer]! > 0) this.releasePage(peer)
      if (this.listings[peer]!.state === "ASKING") this.shard.scope.queues.endCall(this.shard.peers[peer]!)
      if (!this.listings[peer]!.over) this.listings[peer]!.move("GIVEN_UP")
    }
  }
}
