/**
 * One side of S4: pages of metadata as they come off the wire, decoded for one replica, or decoded for three and grouped.
 * Usage: Listing.ts one|three SERIES
 */
import { decodeMetadataAnswer, encodeMetadataAnswer, type MetadataPage } from "@peerstrap/m3db-wire"
import { makePackedGrouping } from "@peerstrap/metadata-grouping"
import { startTiming, tell } from "../method/Side.ts"

const replicas = process.argv[2] === "three" ? 3 : 1
const series = Number(process.argv[3])
const pageItems = 4_096
const repeats = 50

const textEncoder = new TextEncoder()
const start = 1_795_204_800_000_000_000n

/** Each replica's pages are bytes of their own, as they are when they come off a socket. */
const pages: ReadonlyArray<Array<Uint8Array>> = Array.from({ length: replicas }, () => [])
let bytes = 0
for (let first = 0; first < series; first += pageItems) {
  const elements = Array.from({ length: Math.min(pageItems, series - first) }, (_, row) => ({
    id: textEncoder.encode(`http_requests_total{host="host-${row % 997}",path="/api/v1/${first + row}",code="200"}`),
    start,
    size: 1_500n,
    checksum: (first + row) * 2_654_435_761 >>> 0,
    encodedTags: textEncoder.encode(
      `u__name__http_requests_total|host|host-${row % 997}|path|/api/v1/${first + row}|code|200`
    )
  }))
  const page = encodeMetadataAnswer(elements)
  for (const own of pages) own.push(page.slice())
  bytes += page.length
}

const decode = (page: Uint8Array): MetadataPage => {
  const decoded = decodeMetadataAnswer(page)
  if (!("count" in decoded)) throw new Error(`a page does not decode: ${decoded.message}`)
  return decoded
}

/** Pages of the three in turns, as concurrent listings bring them. */
const groupAll = (): number => {
  const grouping = makePackedGrouping({ peerCount: replicas, maxGroups: series, seed: 1 })
  const ready: Array<number> = []
  let taken = 0
  for (let page = 0; page < pages[0]!.length; page++) {
    pages.forEach((own, peer) => grouping.reportPage(peer, decode(own[page]!)))
    ready.length = 0
    grouping.drainReady(ready)
    taken += ready.length
  }
  return taken
}

const decodeAll = (): number => pages[0]!.reduce((sum, page) => sum + decode(page).count, 0)

const run = replicas === 3 ? groupAll : decodeAll
if (run() !== series) throw new Error("series are missing")
const end = startTiming()
for (let n = 0; n < repeats; n++) run()
tell(end({ bytes: repeats * replicas * bytes, items: repeats * replicas * series }))
