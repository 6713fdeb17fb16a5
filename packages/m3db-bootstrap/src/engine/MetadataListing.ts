/**
 * One peer's listing of one job, page by page until no token comes.
 *
 *   IDLE ──ask──► ASKING ──page with token──► IDLE
 *    ▲              │ └────page without───────► FINISHED
 *    │              └──failure──► RESTING ──time──► IDLE       (IDLE ──made up, but needed──► RESTING, from the first page)
 *    ▲ any state but FINISHED ──give up (the level is met without it)──► GIVEN_UP
 *    └────────────────────────────the level rose: called back──────────────┘
 *
 * A failure keeps the last good token, so the listing resumes where it stopped. (specs: peer streaming 3.4, 5.2)
 */
import type { MetadataPage } from "@peerstrap/m3db-wire"
import type { StreamLimits } from "../contract/Limits.ts"

export type ListingState = "IDLE" | "ASKING" | "RESTING" | "FINISHED" | "GIVEN_UP"

const edges: Readonly<Record<ListingState, ReadonlyArray<ListingState>>> = {
  IDLE: ["ASKING", "RESTING", "GIVEN_UP"],
  ASKING: ["IDLE", "RESTING", "FINISHED", "GIVEN_UP"],
  RESTING: ["IDLE", "GIVEN_UP"],
  FINISHED: [],
  GIVEN_UP: ["IDLE", "RESTING"]
}

export class MetadataListing {
  state: ListingState = "IDLE"
  token: Uint8Array | undefined = undefined
  pages = 0
  records = 0
  /** Failures in a row. */
  failures = 0
  lastError = ""
  restUntilMillis = 0
  /** Present page limit: halved when a page is too large. */
  limit: number
  /** Engine time of the first page's request, −1 before. */
  beganMillis = -1
  /** From then to the last page, once it is finished. */
  tookMillis = 0
  /** Times that it began again from the first page. */
  restarts = 0
  /** Limit of the page asked for last. */
  private askedLimit: number
  /** Pages in a row that brought nothing new. */
  idleInRow = 0
  private usefulPages = 0
  private readonly limits: StreamLimits

  constructor(limits: StreamLimits) {
    this.limits = limits
    this.limit = limits.pageLimit
    this.askedLimit = this.limit
  }

  get over(): boolean {
    return this.state === "FINISHED" || this.state === "GIVEN_UP"
  }

  move(to: ListingState): void {
    if (!edges[this.state].includes(to)) throw new Error(`metadata listing: no edge ${this.state} → ${to}`)
    this.state = to
  }

  /** The limit of the next page, of which memory allows `most`. */
  ask(most: number): number {
    this.askedLimit = Math.min(this.limit, most)
    return this.askedLimit
  }

  /**
   * Takes note of a page of which `fresh` rows were new. Returns why the listing cannot be believed, or undefined.
   * Repeated tokens and empty pages are legal; a listing that goes on without bringing anything new is not.
   */
  onPage(page: MetadataPage, fresh: number): string | undefined {
    this.pages++
    this.records += page.count
    this.failures = 0
    if (fresh > 0) {
      this.usefulPages++
      this.idleInRow = 0
    } else this.idleInRow++
    if (page.nextPageToken === undefined) {
      this.move("FINISHED")
      return undefined
    }
    this.token = page.nextPageToken
    this.move("IDLE")
    if (this.idleInRow > this.limits.idlePages + 2 * this.usefulPages) {
      return `${this.idleInRow} pages in a row brought nothing new, and there is still a page token`
    }
    if (this.records > this.limits.maxRecordsPerListing) {
      return `listed ${this.records} records, more than the limit of ${this.limits.maxRecordsPerListing}`
    }
    return undefined
  }

  /**
   * Whether the listing runs away: far more and far emptier pages than any peer that finished needed (`longestFinished`).
   * Judged only where the level is met without this peer.
   */
  runsAway(longestFinished: number): boolean {
    return !this.over && this.pages > this.limits.idlePages + 16 * longestFinished &&
      this.records < this.pages * (this.askedLimit / 8)
  }

  /** What came cannot be believed, and nobody can stand in for this peer: after a rest it is listed from the first page. */
  startOver(restUntilMillis: number): void {
    this.restarts++
    this.failures++
    this.token = undefined
    this.pages = 0
    this.records = 0
    this.idleInRow = 0
    this.restUntilMillis = restUntilMillis
    this.move("RESTING")
  }

  /** `restart` forgets the token; a failure that does not `count` only makes the listing rest. */
  onFailure(failure: {
    readonly message: string
    readonly restUntilMillis: number
    readonly restart: boolean
    readonly counts: boolean
  }): void {
    if (failure.counts) this.failures++
    this.lastError = failure.message
    this.restUntilMillis = failure.restUntilMillis
    if (failure.restart) this.token = undefined
    this.move("RESTING")
  }

  /** A page did not fit: the same page is asked for again with half the limit. False when it cannot shrink further. */
  shrink(): boolean {
    if (this.limit <= 1) return false
    this.halve()
    this.move("IDLE")
    return true
  }

  /** Pages are asked for half as large from now on. */
  halve(): void {
    this.limit = Math.max(1, this.limit >> 1)
  }
}
