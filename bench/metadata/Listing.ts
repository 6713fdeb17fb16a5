/**
 * One side of S4: pages of metadata as they come off the wire, decoded for one replica, or decoded for three and grouped.
 * Usage: Listing.ts one|three SERIES
 */
import { decodeMetadataAnswer, encodeMetadataAnswer, type MetadataPage } from "@peerstrap/m3db-wire"
import { type Grouping, makePackedGrouping } from "@peerstrap/metadata-grouping"
import { startTiming, tell } from "../method/Side.ts"

const replicas = process.argv[2] === "three" ? 3 : 1
const series = Number(process.argv[3])
const pageItems = 4_096
const repeats = 10

const textEncoder = new TextEncoder()
const start = 1_795_204_800_000_000_000n

const pages: Array<Uint8Array> = []
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
  const page = encodeMetadataAnswer(elements).slice()
  pages.push(page)
  bytes += page.length
}

const decode = (page: Uint8Array): MetadataPage => {
  const decoded = decodeMetadataAnswer(page)
  if (!("count" in decoded)) throw new Error(`a page does not decode: ${decoded.message}`)
  return decoded
}

const report = (grouping: Grouping, peer: number, page: MetadataPage): void => {
  const { buffer, checksum, count, idLength, idOffset, size, startHi, startLo, tagsLength, tagsOffset } = page
  for (let row = 0; row < count; row++) {
    grouping.report(
      peer,
      buffer,
      idOffset[row]!,
      idLength[row]!,
      tagsOffset[row]!,
      tagsLength[row]!,
      startHi[row]!,
      startLo[row]!,
      size[row]!,
      checksum[row]!
    )
  }
}

/** Pages of the three in turns, as concurrent listings bring them. */
const groupAll = (): number => {
  const grouping = makePackedGrouping({ peerCount: replicas, maxGroups: series, seed: 1 })
  const ready: Array<number> = []
  let taken = 0
  for (const page of pages) {
    for (let peer = 0; peer < replicas; peer++) report(grouping, peer, decode(page))
    ready.length = 0
    grouping.drainReady(ready)
    taken += ready.length
  }
  return taken
}

const decodeAll = (): number => pages.reduce((sum, page) => sum + decode(page).count, 0)

const run = replicas === 3 ? groupAll : decodeAll
if (run() !== series) throw new Error("series are missing")
const end = startTiming()
for (let n = 0; n < repeats; n++) run()
tell(end({ bytes: repeats * replicas * bytes, items: repeats * replicas * series }))
