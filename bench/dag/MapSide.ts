/**
 * The rival of S7: the same reports, each set in a plain `Map` under its hash; no links, no supporters, no quorum. `bytes`: the key is made of
 * the bytes as they came, one string a report; `ready`: the strings are there before the clock starts.
 * Usage: MapSide.ts HEADERS ORDER bytes|ready
 */
import { startTiming, tell } from "../method/Side.ts"
import { makeReports, type Order, peers, type Reports } from "./Reports.ts"

const [headers, order, keys] = [Number(process.argv[2]), process.argv[3] as Order, process.argv[4]]
const idBytes = 32

const collect = ({ ids, sequence }: Reports) => {
  const buffers = ids.map((id) => Buffer.from(id.buffer, id.byteOffset, idBytes))
  const ready = keys === "ready" ? buffers.map((id) => id.toString("latin1")) : undefined
  const map = new Map<string, number>()
  const end = startTiming()
  for (let i = 0; i < sequence.length; i++) {
    const report = sequence[i]!
    const peer = report % peers
    const level = 1 + (report - peer) / peers
    map.set(ready === undefined ? buffers[level]!.toString("latin1") : ready[level]!, peer)
  }
  const measured = end({ bytes: sequence.length * idBytes, items: sequence.length })
  if (map.size !== ids.length - 1) throw new Error(`${map.size} hashes, not ${ids.length - 1}`)
  return measured
}

collect(makeReports(Math.ceil(headers / 10), order))
const reports = makeReports(headers, order)
globalThis.gc?.()
tell(collect(reports))
