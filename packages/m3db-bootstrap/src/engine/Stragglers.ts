/**
 * How long a job waits for listings that others have overtaken. Everything here holds only while the level *and* a majority are met by
 * listings that are finished and that listed something, and never at the levels `all` and
 * `unstrict_all` (everybody who can be had). Below a majority only peers that fail are done without:
 * one quick replica that lost its data must not speak for slow ones that have them.
 *
 *   level met ──a moment──► overtaken: groups become ready without it, its rows still count
 *                               └──nothing else left to do──patience──► given up (once more as long when it is nearly done)
 *
 * Both spans grow with the time that the finished listings took. (GOALS 7: slow, silent and half-open peers)
 */
import type { Level } from "@peerstrap/consistency-policy"
import type { StreamLimits } from "../contract/Limits.ts"
import type { MetadataListing } from "./MetadataListing.ts"

/** So much more patience where finished listings disagree: what comes out shall not depend on who is a moment late. */
const disagreementFactor = 4

/** More pages in a row than this without anything new are no sign that the end is near. */
const idlePagesOfAlive = 2

export interface StragglerScene {
  readonly level: Level
  readonly majority: number
  readonly nowMillis: number
  /** The level is met by finished listings, at least one. */
  readonly isMet: boolean
  /** Every series-block that is known is settled. */
  readonly isSettled: boolean
  /** Whether finished listings disagree about some series-block. Asked once. */
  readonly disagrees: () => boolean
  /** Listing waits for memory: that is not the peer's slowness. */
  readonly isPaused: boolean
}

const seconds = (millis: number): string => `${(Math.max(0, millis) / 1000).toFixed(2)} s`

export class Stragglers {
  /** Overtaken listings: nobody waits for their rows, which still count. */
  readonly overtaken: Array<boolean>
  private readonly listings: ReadonlyArray<MetadataListing>
  private readonly limits: StreamLimits
  private metMillis: number | undefined
  private disagrees: boolean | undefined
  private idleMillis = 0
  private idleSinceMillis: number | undefined
  /** When the listings that are waited for are overtaken, or given up; Infinity when time alone changes nothing. */
  dueMillis = Number.POSITIVE_INFINITY

  constructor(listings: ReadonlyArray<MetadataListing>, limits: StreamLimits) {
    this.listings = listings
    this.limits = limits
    this.overtaken = listings.map(() => false)
  }

  /** Nothing is left to do but to wait for overtaken listings. */
  get isWaiting(): boolean {
    return this.idleSinceMillis !== undefined
  }

  /** Time that the slowest finished listing took. */
  get longestMillis(): number {
    let longest = 0
    for (const listing of this.listings) {
      if (listing.state === "FINISHED") longest = Math.max(longest, listing.tookMillis)
    }
    return longest
  }

  private patience(leastMillis: number): number {
    const factor = this.disagrees === true ? disagreementFactor : 1
    return factor * Math.max(leastMillis, this.limits.stragglerShare * this.longestMillis)
  }

  /** Looks at the time; returns the listings that are overtaken now (first), and those to be given up. */
  look(scene: StragglerScene): { readonly overtaken: ReadonlyArray<number>; readonly givenUp: ReadonlyArray<number> } {
    this.dueMillis = Number.POSITIVE_INFINITY
    if (!this.maySettle(scene) || this.listings.every((listing) => listing.over)) {
      this.metMillis = this.idleSinceMillis = undefined
      return { overtaken: [], givenUp: [] }
    }
    this.metMillis ??= scene.nowMillis
    return { overtaken: this.overtake(scene, this.metMillis), givenUp: this.giveUp(scene) }
  }

  private maySettle({ isMet, level, majority }: StragglerScene): boolean {
    if (!isMet || level === "all" || level === "unstrict_all") return false
    let finished = 0
    for (const listing of this.listings) if (listing.state === "FINISHED") finished++
    return finished >= majority && this.recordsOfOthers > 0
  }

  private overtake(scene: StragglerScene, metMillis: number): ReadonlyArray<number> {
    const open = [...this.listings.keys()].filter((peer) => !this.listings[peer]!.over && !this.overtaken[peer])
    if (open.length === 0) return []
    let due = metMillis + this.patience(this.limits.overtakenMillis)
    if (scene.nowMillis >= due && this.disagrees === undefined) {
      this.disagrees = scene.disagrees()
      due = metMillis + this.patience(this.limits.overtakenMillis)
    }
    if (scene.nowMillis < due) {
      this.dueMillis = due
      return []
    }
    for (const peer of open) this.overtaken[peer] = true
    return open
  }

  private giveUp(scene: StragglerScene): ReadonlyArray<number> {
    const { isPaused, isSettled, nowMillis } = scene
    const isIdle = isSettled && this.listings.every((listing, peer) => listing.over || this.overtaken[peer] === true)
    if (this.idleSinceMillis !== undefined) this.idleMillis += nowMillis - this.idleSinceMillis
    this.idleSinceMillis = isIdle && !isPaused ? nowMillis : undefined
    if (this.idleSinceMillis === undefined) return []
    const patience = this.patience(this.limits.stragglerMillis)
    const out: Array<number> = []
    for (const [peer, listing] of this.listings.entries()) {
      if (listing.over || !this.overtaken[peer]) continue
      const span = this.isNearlyDone(listing, patience, nowMillis) ? 2 * patience : patience
      if (this.idleMillis >= span) out.push(peer)
      else this.dueMillis = Math.min(this.dueMillis, nowMillis + Math.max(1, span - this.idleMillis))
    }
    return out
  }

  /** By its rate so far it has listed as much as the others within another span of patience. */
  private isNearlyDone(listing: MetadataListing, patience: number, nowMillis: number): boolean {
    if (listing.failures > 0 || listing.records === 0 || listing.idleInRow > idlePagesOfAlive) return false
    const spent = nowMillis - listing.beganMillis
    return (spent * Math.max(0, this.recordsOfOthers - listing.records)) / listing.records <= patience
  }

  private get recordsOfOthers(): number {
    let most = 0
    for (const listing of this.listings) if (listing.state === "FINISHED") most = Math.max(most, listing.records)
    return most
  }

  /** What patience is left, for `why`. */
  leftMillis(nowMillis: number): number {
    return Math.max(0, this.dueMillis - nowMillis)
  }

  /** Why it was given up, in words and numbers. */
  reason(peer: number, nowMillis: number): string {
    const listing = this.listings[peer]!
    if (listing.failures > 0) return listing.lastError
    const spent = listing.beganMillis < 0
      ? "was not asked"
      : `listed ${listing.records} records in ${listing.pages} pages`
    return `${spent} in ${seconds(nowMillis - Math.max(listing.beganMillis, 0))}; the others were done in ` +
      `${seconds(this.longestMillis)} with ${this.recordsOfOthers} records, and all else was done ${
        seconds(this.idleMillis)
      } ago`
  }
}
