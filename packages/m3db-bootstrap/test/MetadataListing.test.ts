import { assert, describe, it } from "@effect/vitest"
import { decodeMetadataAnswer, encodeMetadataAnswer, type MetadataPage } from "@peerstrap/m3db-wire"
import { defaultStreamLimits } from "../src/contract/Limits.ts"
import { MetadataListing } from "../src/engine/MetadataListing.ts"
import { firstBlock } from "./support/SimulatedCluster.ts"

const page = (rows: number, hasMore: boolean): MetadataPage => {
  const elements = Array.from({ length: rows }, (_, i) => ({ id: Uint8Array.of(i), start: firstBlock, checksum: i }))
  const decoded = decodeMetadataAnswer(encodeMetadataAnswer(elements, hasMore ? Uint8Array.of(7) : undefined))
  if (!("count" in decoded)) throw new Error("the page does not decode")
  return decoded
}

const listingOf = (limits: Partial<typeof defaultStreamLimits> = {}): MetadataListing =>
  new MetadataListing({ ...defaultStreamLimits, ...limits })

/** Asks for a page and takes it. */
const take = (listing: MetadataListing, rows: number, hasMore: boolean, fresh = rows): string | undefined => {
  listing.ask(4096)
  listing.move("ASKING")
  return listing.onPage(page(rows, hasMore), fresh)
}

describe("one peer's listing", () => {
  it("goes on while a token comes, empty pages included, and ends with the page that has none", () => {
    const listing = listingOf()
    assert.isUndefined(take(listing, 3, true))
    assert.isUndefined(take(listing, 0, true))
    assert.deepStrictEqual([...listing.token!], [7])
    assert.isFalse(listing.over)
    take(listing, 2, false)
    assert.strictEqual(listing.state, "FINISHED")
    assert.deepStrictEqual([listing.pages, listing.records], [3, 5])
    assert.throws(() => listing.move("GIVEN_UP"), /FINISHED → GIVEN_UP/)
  })

  it("keeps the last good token over a failure, unless the token is what failed", () => {
    const listing = listingOf()
    take(listing, 3, true)
    listing.move("ASKING")
    listing.onFailure({ message: "closed", restUntilMillis: 50, restart: false, counts: true })
    assert.deepStrictEqual([listing.state, listing.failures, listing.restUntilMillis], ["RESTING", 1, 50])
    assert.isDefined(listing.token)
    listing.move("IDLE")
    listing.move("ASKING")
    listing.onFailure({ message: "bad token", restUntilMillis: 60, restart: true, counts: false })
    assert.deepStrictEqual([listing.token, listing.failures, listing.lastError], [undefined, 1, "bad token"])
  })

  it("a page forgives the failures before it", () => {
    const listing = listingOf()
    listing.move("ASKING")
    listing.onFailure({ message: "x", restUntilMillis: 0, restart: false, counts: true })
    listing.move("IDLE")
    take(listing, 1, true)
    assert.strictEqual(listing.failures, 0)
  })

  it("halves its limit for a page that is too large, down to one", () => {
    const listing = listingOf({ pageLimit: 4 })
    const limits: Array<number> = []
    for (let ok = true; ok; limits.push(listing.limit)) {
      listing.move("ASKING")
      ok = listing.shrink()
    }
    assert.deepStrictEqual(limits, [2, 1, 1])
    assert.strictEqual(listing.state, "ASKING")
  })
})

describe("a listing that cannot be believed", () => {
  it("is one that goes on and on without anything new, measured by what it brought before", () => {
    const listing = listingOf({ idlePages: 3 })
    for (let i = 0; i < 5; i++) assert.isUndefined(take(listing, 1, true))
    const doubts = Array.from({ length: 14 }, () => take(listing, 1, true, 0))
    assert.strictEqual(doubts.findIndex((doubt) => doubt !== undefined), 13)
    assert.include(doubts[13]!, "14 pages in a row brought nothing new")
  })

  it("is one of more records than a peer can hold", () => {
    const listing = listingOf({ maxRecordsPerListing: 5 })
    assert.isUndefined(take(listing, 5, true))
    assert.include(take(listing, 1, true)!, "6 records, more than the limit of 5")
  })

  it("runs away when its pages are many and nearly empty beside those of others", () => {
    const listing = listingOf({ pageLimit: 4096 })
    for (let i = 0; i < 80; i++) take(listing, 1, true)
    assert.isFalse(listing.runsAway(1))
    take(listing, 1, true)
    assert.isTrue(listing.runsAway(1))
    assert.isFalse(listing.runsAway(2))
  })

  it("full pages are no flight, however small memory made them", () => {
    const listing = listingOf({ pageLimit: 4096 })
    for (let i = 0; i < 200; i++) {
      listing.ask(128)
      listing.move("ASKING")
      listing.onPage(page(128, true), 128)
    }
    assert.isFalse(listing.runsAway(1))
  })

  it("starts over from the first page where the level needs it", () => {
    const listing = listingOf()
    take(listing, 4, true)
    listing.startOver(99)
    assert.deepStrictEqual([listing.state, listing.token, listing.pages, listing.records], ["RESTING", undefined, 0, 0])
    assert.deepStrictEqual([listing.restarts, listing.failures, listing.restUntilMillis], [1, 1, 99])
  })
})
