/**
 * Only consistency-policy and peer-selection: a cache node warms up from five peers, one slow and one that fails. How many have to answer
 * before it starts, and which peer gives which range of keys? In virtual time: put your clock and your calls in place of the loop's.
 */
import { type Level, majority, stillReachable } from "@peerstrap/consistency-policy"
import { best, makePeerQueues, throughputWeighted, type WorkBatch } from "@peerstrap/peer-selection"
import assert from "node:assert/strict"

const peers = ["a", "b", "c", "slow", "broken"]
const bytesPerMilli = [1000, 1000, 1000, 50, 0]
const rangeBytes = 64 * 1024
const rangeCount = 400

const electorate = { majority: majority(peers.length), peers: peers.length }
const counted = { successes: 4, failedForGood: 1 }
const wishes: ReadonlyArray<Level> = ["all", "majority", "one"]
const level = wishes.find((one) => stillReachable(one, electorate, counted))
assert.equal(level, "majority")
console.log(`4 of 5 say which ranges they hold: the strictest level within reach is ${level}`)

const queues = makePeerQueues({ peers, random: () => 0.5, limits: { initialBatchBytes: rangeBytes } })
const waiting = Array.from({ length: rangeCount }, (_, range) => range)
const triesOf = peers.map(() => new Map<number, number>())
const warmedBy = peers.map(() => 0)
/** When the peer will have sent what it was asked for so far. */
const busyUntil = peers.map(() => 0)
const inFlight: Array<{ readonly work: WorkBatch; readonly endsAt: number }> = []
let now = 0
while (waiting.length > 0 || inFlight.length > 0) {
  for (const range of waiting.splice(0)) {
    const open = [...peers.keys()].filter((peer) => queues.hasRoom(peer, now))
    const chosen = best(throughputWeighted, open.map((peer) => queues.candidate(peer, triesOf[peer]!.get(range) ?? 0)))
    if (chosen === undefined) waiting.push(range)
    else queues.enqueue(chosen.peer, 0, range, rangeBytes)
  }
  for (let work = queues.next(now); work !== undefined; work = queues.next(now)) {
    const { bytes, peer } = work
    const millis = bytesPerMilli[peer] === 0 ? 20 : bytes / bytesPerMilli[peer]!
    busyUntil[peer] = Math.max(now, busyUntil[peer]!) + millis
    inFlight.push({ work, endsAt: busyUntil[peer] })
  }

  inFlight.sort((one, other) => one.endsAt - other.endsAt)
  now = Math.min(inFlight[0]?.endsAt ?? Infinity, queues.wakeAt(now))
  while (inFlight.length > 0 && inFlight[0]!.endsAt <= now) {
    const { batch, bytes, items, peer } = inFlight.shift()!.work
    if (bytesPerMilli[peer] === 0) {
      queues.failed(batch, "unreachable", "connection refused", now)
      for (const range of items) triesOf[peer]!.set(range, (triesOf[peer]!.get(range) ?? 0) + 1)
      waiting.push(...items)
    } else {
      queues.succeeded(batch, bytes, now)
      warmedBy[peer]! += items.length
    }
  }
}

assert.equal(warmedBy.reduce((sum, ranges) => sum + ranges), rangeCount)
assert.ok(warmedBy[3]! > 0 && warmedBy[3]! < 20 && triesOf[4]!.size > 1)
for (const [peer, id] of peers.entries()) {
  const failed = triesOf[peer]!.size
  console.log(`${id}: ${warmedBy[peer]} ranges${failed > 0 ? `, ${failed} tried and given to others` : ""}`)
}
console.log(`warm after ${(now / 1000).toFixed(1)} s; ${peers[4]}: ${queues.state(4).lastFailureMessage}`)
