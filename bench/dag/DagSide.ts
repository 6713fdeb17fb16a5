/**
 * Our side of S7: every report inserts the header (known from the second peer on), notes the peer's support, and asks for the highest
 * quorum after each report.
 * Usage: DagSide.ts HEADERS ORDER
 */
import { makeHeaderDag } from "@peerstrap/header-dag-quorum"
import { startTiming, tell } from "../method/Side.ts"
import { makeReports, type Order, peers, type Reports } from "./Reports.ts"

const [headers, order] = [Number(process.argv[2]), process.argv[3] as Order]
const idBytes = 32
const anyHeight = 1e9

const collect = ({ ids, sequence }: Reports) => {
  const top = ids.length - 1
  const dag = makeHeaderDag({
    idBytes,
    maxPeers: peers,
    maxNodes: ids.length + 1,
    maxUnprovenPerPeer: ids.length,
    hashSeed: 77,
    base: { id: ids[0]!, level: 0 }
  })
  for (let peer = 0; peer < peers; peer++) dag.setElector(peer, top)
  const end = startTiming()
  let highest = -1
  for (let i = 0; i < sequence.length; i++) {
    const report = sequence[i]!
    const peer = report % peers
    const level = 1 + (report - peer) / peers
    const inserted = dag.insert(ids[level]!, ids[level - 1]!, level, peer)
    if (!("node" in inserted)) throw new Error(`level ${level}: ${inserted.outcome}`)
    dag.replyAt(peer, inserted.node)
    highest = dag.highestQuorum(anyHeight)
  }
  const measured = end({ bytes: sequence.length * idBytes, items: sequence.length })
  if (dag.levelOf(highest) !== top) throw new Error(`quorum at level ${dag.levelOf(highest)}, not ${top}`)
  return measured
}

collect(makeReports(Math.ceil(headers / 10), order))
const reports = makeReports(headers, order)
globalThis.gc?.()
tell(collect(reports))
