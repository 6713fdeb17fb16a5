/**
 * Reports and groups a second for three peers that list the same series, in the same order and shuffled. Run with
 * `node --conditions=@peerstrap/source bench/Grouping.bench.ts`. The smaller of the times counts: other work only adds.
 */
import { makePackedGrouping, type ReportColumns } from "@peerstrap/metadata-grouping"

const peerCount = 3
const pageRows = 4096
const rounds = 9

/** One page after the other, as they come off the wire: an id of about 70 bytes and tags of about 90 a row. */
const listingOf = (order: ReadonlyArray<number>, pages: Array<ReportColumns> = []): ReadonlyArray<ReportColumns> => {
  const encoder = new TextEncoder()
  for (let first = 0; first < order.length; first += pageRows) {
    const rows = Math.min(pageRows, order.length - first)
    const page: ReportColumns = {
      buffer: new Uint8Array(rows * 300),
      count: rows,
      idOffset: new Int32Array(rows),
      idLength: new Int32Array(rows),
      tagsOffset: new Int32Array(rows),
      tagsLength: new Int32Array(rows),
      startHi: new Int32Array(rows).fill(400_000_000),
      startLo: new Int32Array(rows),
      size: new Float64Array(rows).fill(300),
      checksum: new Float64Array(rows).fill(12345)
    }
    let at = 0
    for (let row = 0; row < rows; row++) {
      const series = order[first + row]!
      const id = encoder.encode(`http_requests_total{host="host-${series % 997}",path="/api/v1/${series}",code="200"}`)
      const tags = encoder.encode(
        `u\u0004__name__http_requests_total|host|host-${series % 997}|path|/api/v1/${series}|code|200`
      )
      page.buffer.set(id, at)
      page.buffer.set(tags, at + id.length)
      page.idOffset[row] = at
      page.idLength[row] = id.length
      page.tagsOffset[row] = at + id.length
      page.tagsLength[row] = tags.length
      at += id.length + tags.length
    }
    pages.push(page)
  }
  return pages
}

const shuffled = (count: number, seed: number): ReadonlyArray<number> => {
  const order = Array.from({ length: count }, (_, n) => n)
  let state = seed
  for (let n = count - 1; n > 0; n--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const other = state % (n + 1)
    const held = order[n]!
    order[n] = order[other]!
    order[other] = held
  }
  return order
}

const group = (listings: ReadonlyArray<ReadonlyArray<ReportColumns>>, maxGroups: number): number => {
  const grouping = makePackedGrouping({ peerCount, maxGroups, seed: 1 })
  const ready: Array<number> = []
  for (let page = 0; page < listings[0]!.length; page++) {
    for (let peer = 0; peer < peerCount; peer++) {
      grouping.reportPage(peer, listings[peer]![page]!)
      grouping.drainReady(ready)
    }
  }
  for (let peer = 0; peer < peerCount; peer++) grouping.finish(peer)
  grouping.drainReady(ready)
  if (ready.length !== maxGroups) throw new Error(`${ready.length} groups became ready, not ${maxGroups}`)
  return grouping.bytes
}

const measure = (name: string, count: number, orders: ReadonlyArray<ReadonlyArray<number>>): void => {
  const listings = orders.map((order) => listingOf(order))
  let bestMillis = Infinity
  let bytes = 0
  for (let round = 0; round < rounds; round++) {
    const startMillis = performance.now()
    bytes = group(listings, count)
    bestMillis = Math.min(bestMillis, performance.now() - startMillis)
  }
  const millions = (perRun: number): string => (perRun / bestMillis / 1000).toFixed(2)
  const perReport = ((bestMillis * 1e6) / (count * peerCount)).toFixed(0)
  console.log(
    `${name.padEnd(24)} ${String(count).padStart(8)} groups  ${millions(count)} M groups/s  ` +
      `${millions(count * peerCount)} M reports/s  ${perReport} ns a report  ${
        (bytes / count).toFixed(0)
      } bytes a group`
  )
}

console.log(`node ${process.version}, ${peerCount} peers, pages of ${pageRows} rows, best of ${rounds}`)
for (const count of [pageRows, 100_000, 400_000]) {
  const inOrder = Array.from({ length: count }, (_, n) => n)
  measure("same order", count, [inOrder, inOrder, inOrder])
  measure("shuffled for each peer", count, [1, 2, 3].map((seed) => shuffled(count, seed)))
}
