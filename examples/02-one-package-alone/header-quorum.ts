/** Only header-dag-quorum: five peers name the head of their chain, and one of them made up a longer one. Which chain has a quorum? */
import { checkEvidence, makeHeaderDag } from "@peerstrap/header-dag-quorum"
import assert from "node:assert/strict"
import { createHash } from "node:crypto"

interface Header {
  readonly id: Uint8Array
  readonly parent: Uint8Array
  readonly level: number
}

/** What peers would send: headers by id. An id is the hash of what is in the header. */
const network = new Map<string, Header>()
const build = (parent: Header, levels: number, salt: string): Header => {
  if (levels === 0) return parent
  const id = new Uint8Array(createHash("sha256").update(parent.id).update(salt).digest())
  const header = { id, parent: parent.id, level: parent.level + 1 }
  network.set(Buffer.from(id).toString("hex"), header)
  return build(header, levels - 1, salt)
}

const genesis = { id: new Uint8Array(32), parent: new Uint8Array(32), level: 0 }
const fork = build(genesis, 10, "honest")
const behind = build(fork, 8, "honest")
const head = build(behind, 2, "honest")
const heads = [head, head, head, behind, build(fork, 15, "made up")]

const dag = makeHeaderDag({ idBytes: 32, maxPeers: 8, maxNodes: 1000, maxUnprovenPerPeer: 100, base: genesis })
for (const [peer, { id, level }] of heads.entries()) {
  // Two blocks below its head a peer's chain does not change any more.
  dag.setElector(peer, level - 2)
  const claimed = dag.claim(peer, id)
  while (!dag.connected(claimed)) {
    const lowest = dag.lowestAncestor(claimed)
    const wanted = dag.idOf(dag.hasHeader(lowest) ? dag.parentOf(lowest) : lowest)
    const header = network.get(Buffer.from(wanted).toString("hex"))!
    dag.insert(header.id, header.parent, header.level, peer)
  }
}

const top = dag.highestQuorum(1000)
const evidence = dag.evidence(top)
assert.deepEqual(checkEvidence(evidence), [])
assert.deepEqual(dag.idOf(top), behind.id)
console.log(`${dag.headers} headers, quorum up to level ${dag.levelOf(top)} of ${head.level}`)
for (const { electorate, fromLevel, supporters, toLevel } of evidence.runs) {
  console.log(`levels ${fromLevel} to ${toLevel}: peers ${supporters.join(" ")} of ${electorate.join(" ")}`)
}
const removed = dag.prune(top)
assert.equal(removed.length, 15)
console.log(`pruned: ${removed.length} headers that only peer ${removed[0]!.strong.join(" ")} supports`)
