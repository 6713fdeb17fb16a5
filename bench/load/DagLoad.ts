/**
 * L2 on the DAG alone: a million headers with 5 % forks of 64 peers with full locators, in one of three orders; the quorum is asked for every ten
 * headers (a message), then the chain is taken in segments of 8192 with evidence and pruning.
 * Usage: DagLoad.ts HEADERS descent|window|whole
 */
import { makeHeaderDag } from "@peerstrap/header-dag-quorum"
import { seededRandom } from "../method/Statistics.ts"
import { idBytes, idOf, makeForest } from "./Headers.ts"
import { startLoad, tellLoad } from "./Load.ts"

const [headers, order] = [Number(process.argv[2]), process.argv[3]]
const peers = 64
const locatorEntries = 900
const segmentHeaders = 8_192
const perMessage = 10
const windowHeaders = 100_000
const finality = 2

const forest = makeForest(headers, 0.05)
const random = seededRandom(64)
const below = (bound: number): number => Math.floor(random() * bound)
const sequence = new Uint32Array(headers)
for (let i = 0; i < headers; i++) sequence[i] = i < forest.main ? forest.main - i : i + 1
if (order !== "descent") {
  for (let i = headers - 1; i > 0; i--) {
    const lowest = order === "window" ? Math.max(0, i - windowHeaders) : 0
    const j = lowest + below(i - lowest + 1)
    const kept = sequence[i]!
    sequence[i] = sequence[j]!
    sequence[j] = kept
  }
}

const load = startLoad()
const dag = makeHeaderDag({
  idBytes,
  maxPeers: peers,
  maxNodes: headers + 100_000,
  maxUnprovenPerPeer: headers,
  hashSeed: 3,
  base: { id: idOf(0), level: 0 }
})
for (let peer = 0; peer < peers; peer++) {
  dag.setElector(peer, forest.main - finality)
  dag.claim(peer, idOf(forest.main - (peer % 3 === 0 ? 0 : peer % 50)))
  for (let entry = 0; entry < locatorEntries; entry++) dag.claim(peer, idOf(1 + below(forest.main)))
}
for (let i = 0; i < headers; i++) {
  const number = sequence[i]!
  const peer = below(peers)
  const inserted = dag.insert(idOf(number), idOf(forest.parentOf(number)), forest.levelOf(number), peer)
  if (inserted.outcome !== "added") throw new Error(`header ${number}: ${inserted.outcome}`)
  dag.replyAt(peer, inserted.node)
  if (i % perMessage === 0) dag.highestQuorum(segmentHeaders)
  load.look()
}
let chosen = 0
let removed = 0
for (let top = dag.highestQuorum(segmentHeaders); top >= 0; top = dag.highestQuorum(segmentHeaders)) {
  removed += dag.prune(top).length
  chosen += dag.segment(top).count
  dag.evidence(top)
  removed += dag.advanceBase(top).length
  load.look()
}
if (chosen < forest.main - 50 || removed === 0) throw new Error(`${chosen} headers chosen, ${removed} removed`)
tellLoad(load.end(headers))
