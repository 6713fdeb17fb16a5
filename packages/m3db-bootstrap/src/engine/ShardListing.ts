/**
 * The metadata side of one job: lists from all of its peers at once, feeds the grouping, and decides when the level is met.
 * A peer that keeps failing is given up only where the level is met without it. (specs: peer streaming 3.4, 3.13)
 */
import { readConsistencyAchieved } from "@peerstrap/consistency-policy"
import type { CallErrorReason, MetadataPage } from "@peerstrap/m3db-wire"
import type { CallFailure } from "../contract/StreamRun.ts"
import { failureKind, pushbacksPerFailure } from "./CallFailures.ts"
import { ListingRows } from "./ListingRows.ts"
import { MetadataListing } from "./MetadataListing.ts"
import { isHopeless, record } from "./RunScope.ts"
import type { ShardState } from "./ShardState.ts"

const textEncoder = new TextEncoder()

export class ShardListing {
  readonly listings: ReadonlyArray<MetadataListing>
  readonly lastReason: Array<CallErrorReason | undefined>
  /** Peers whose listing proved to be made up: what only they advertise is not asked for. A listing that ends clears it. */
  readonly distrusted: Array<boolean>
  /** The level was met at some time: a listing that is over without that publishes nothing. */
  wasMet = false
  /** Metadata that waits for memory. */
  paused = false
  private gaveUp = false
  private readonly shard: ShardState
  private readonly starts: ReadonlyArray<bigint>
  private readonly rows: ListingRows
  private readonly pushbacks: Array<number>
  private readonly pageReserved: Array<number>
  private readonly namespace: Uint8Array

  constructor(shard: ShardState, blockStarts: ReadonlyArray<bigint>) {
    this.shard = shard
    this.starts = blockStarts
    this.rows = new ListingRows(shard, blockStarts)
    this.listings = shard.peers.map(() => new MetadataListing(shard.scope.limits))
    this.lastReason = shard.peers.map(() => undefined)
    this.distrusted = shard.peers.map(() => false)
    this.pushbacks = shard.peers.map(() => 0)
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

  /** Once a peer was given up, a level that rises later cannot call it back: the listing goes by the level that allowed it. */
  get levelMet(): boolean {
    return this.gaveUp ||
      readConsistencyAchieved(this.shard.scope.level, this.shard.majority, this.shard.peers.length, this.successes)
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
      if (listed + reserve > ledger.capacity * limits.listingShare || !ledger.tryReserve("pages", reserve)) {
        this.paused = true
        continue
      }
      this.pageReserved[peer] = reserve
      listing.move("ASKING")
      this.ask(peer, listing, reserve)
    }
  }

  private get pageReserve(): number {
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
    this.releasePage(peer)
    const listing = this.listings[peer]!
    if (listing.over) return
    queues.observe(this.shard.peers[peer]!, "ok", "", this.shard.scope.now)
    tally.peerPages[this.shard.peers[peer]!]!++
    this.pushbacks[peer] = 0
    this.lastReason[peer] = undefined
    const fresh = this.rows.take(peer, page)
    const doubt = listing.onPage(page, fresh)
    if (doubt !== undefined) this.distrust(peer, "endless-listing", doubt)
    else if (listing.state === "FINISHED") {
      this.distrusted[peer] = false
      this.shard.grouping.finish(peer)
    }
    this.settle()
  }

  onFailure(peer: number, failure: CallFailure): void {
    const { limits, now, queues, random } = this.shard.scope
    this.releasePage(peer)
    const listing = this.listings[peer]!
    if (listing.over) return
    if (failure.reason === "too-large" && listing.shrink()) return
    this.lastReason[peer] = failure.reason
    const kind = failureKind(failure.reason)
    if (kind !== undefined) queues.observe(this.shard.peers[peer]!, kind, failure.message, now)
    if (failure.reason === "protocol") {
      const subject = `listing of shard ${this.shard.shard}`
      record(this.shard.scope, this.shard.peers[peer]!, "protocol-violation", "peer", subject, failure.message)
    }
    this.shard.scope.tally.peerFailures[this.shard.peers[peer]!]!++
    const failures = listing.failures + 1
    const pause = Math.min(limits.blockedCapMillis, 100 * 2 ** Math.min(failures, 12)) * (0.5 + random() / 2)
    if (kind === "pushback") this.pushbacks[peer]!++
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

  private distrust(peer: number, kind: string, detail: string): void {
    const listing = this.listings[peer]!
    record(this.shard.scope, this.shard.peers[peer]!, kind, "peer", `listing of shard ${this.shard.shard}`, detail)
    this.distrusted[peer] = true
    listing.lastError = detail
    if (listing.over) return
    if (this.levelMet) return this.giveUp(peer)
    // The level needs this peer: whatever is wrong with it may be mended.
    const { limits, now, random } = this.shard.scope
    const pause = Math.min(limits.blockedCapMillis, limits.blockedBaseMillis * 2 ** Math.min(listing.restarts, 16))
    listing.startOver(now + pause * (0.5 + random() / 2))
  }

  private giveUp(peer: number): void {
    const listing = this.listings[peer]!
    listing.move("GIVEN_UP")
    this.gaveUp = true
    this.shard.grouping.finish(peer)
    this.shard.scope.tally.unlisted.add(() => ({
      shard: this.shard.shard,
      peer: this.shard.peerId(peer),
      reason: listing.lastError
    }))
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
        this.giveUp(peer)
      } else if (hopeless && listing.pages === 0) {
        // Known to be down from other work; this job never got to ask.
        listing.lastError = this.shard.scope.queues.state(this.shard.peers[peer]!).lastFailureMessage ?? "not reachable"
        this.giveUp(peer)
      } else if (longest > 0 && listing.runsAway(longest)) {
        const detail =
          `${listing.pages} pages with ${listing.records} records where other peers needed ${longest} pages`
        this.distrust(peer, "endless-listing", detail)
      }
    }
  }

  /** Ends every open listing; answers that still come find nobody. */
  abandon(): void {
    for (let peer = 0; peer < this.listings.length; peer++) {
      if (this.pageReserved[peer]! > 0) this.releasePage(peer)
      if (!this.listings[peer]!.over) this.listings[peer]!.move("GIVEN_UP")
    }
  }
}
