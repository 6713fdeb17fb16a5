/** Mission 003, handling disconnects, as the whole engine does it; the rules one by one are tested in `test/Connections.test.ts`. */
import { assert, describe, it } from "@effect/vitest"
import { World } from "./driver.ts"

const dials = (world: World) => world.actions.filter(({ kind }) => kind === "dial").length

/** Requests for bodies that one peer has at a time. */
const most = (connections: object) => {
  const world = new World({ levels: 400, connections })
  for (const peer of world.peers) peer.silentOn.add("get-units")
  world.runFor(1500)
  return world.asked("get-units", world.peers[0]).length
}

describe("connections of a run", () => {
  it("R16, 5.3: nothing new is begun before the least number of peers is connected", () => {
    const world = new World({ peers: [{}, {}, {}, { unreachable: true }], connections: { minPeers: 4 } }).runFor(9000)
    assert.strictEqual(world.snapshot.phase, "connect")
    assert.deepStrictEqual([world.headersAsked(), world.unitsAsked()], [[], []])
    assert.match(world.engine.waits(world.now)[0]?.waitingFor ?? "", /^1 more peer$/)
  })

  it("R16: a dead peer stops nobody for long: then more than two thirds of the least number are enough", () => {
    const world = new World({ peers: [{}, {}, {}, { unreachable: true }], connections: { minPeers: 4 } }).run()
    assert.strictEqual(world.head.level, 60)
    assert.isAtLeast(world.elapsed, 10_000)
  })

  it("R103, A28: with few connections every peer is asked half as much; below the least number nothing new", () => {
    const [normal, hungry] = [most({ maxPeers: 4, hungryMargin: 0 }), most({ maxPeers: 12, hungryMargin: 2 })]
    assert.deepStrictEqual([normal, hungry], [4, 2])
    // Below the least number: what runs goes on, nothing is begun.
    const critical = new World({ levels: 400, sync: { until: undefined } })
    critical.run(() => critical.head.level > 20)
    for (const peer of critical.peers.slice(1)) peer.unreachable = true
    for (const peer of critical.peers.slice(1)) critical.lose(peer)
    const asked = critical.headersAsked().length
    critical.runFor(5000)
    assert.strictEqual(critical.headersAsked().length, asked)
  })

  it("R99: after an unexpected end the peer is dialled again, and its work goes on", () => {
    const world = new World({ levels: 300, sync: { until: { level: 300 } } })
    world.run(() => world.head.level > 10)
    const before = dials(world)
    world.lose(world.peers[2]!)
    world.run(() => world.peers[2]!.number !== undefined)
    assert.strictEqual(dials(world), before + 1)
    world.run()
    assert.strictEqual(world.head.level, 300)
    assert.deepStrictEqual(world.blamed, [])
  })

  it("R101, 5.12.7: a peer whose connection breaks again and again is banned, and dialled no more", () => {
    const world = new World({ sync: { until: undefined, minQuorumPeers: 2 }, connections: { minPeers: 3 } }).runFor(500)
    const peer = world.peers[3]!
    for (let times = 0; times < 6; times++) {
      world.run(() => peer.number !== undefined, 100_000)
      if (peer.number !== undefined) world.lose(peer)
    }
    world.runFor(200_000)
    assert.isUndefined(peer.number)
    assert.strictEqual(world.snapshot.known.find(({ point }) => point === peer.point)?.status, "banned")
  })

  it("A37: a peer that we left for its faults is not dialled again before its greylisting is over", () => {
    const world = new World({ peers: 5, connections: { minPeers: 4 }, sync: { until: undefined } }).runFor(2000)
    const before = dials(world)
    world.lose(world.peers[0]!, true)
    assert.deepStrictEqual(world.blamed, ["p0 malformed"])
    world.runFor(3_000_000)
    assert.strictEqual(dials(world), before)
  })

  it("A14, 5.4: what a peer that left was asked goes to others at once", () => {
    const world = new World({ levels: 200, connections: { minPeers: 3 }, sync: { until: { level: 200 } } })
    const peer = world.peers[1]!
    world.run(() => world.unitsAsked(peer).length > 0)
    const last = world.asked("get-units", peer).at(-1)!
    const keys = last.request.items.map(({ block, unit }) => `${block}/${unit}`)
    peer.unreachable = true
    world.lose(peer)
    const [lostAt, before] = [world.now, world.log.length]
    const again = (key: string) =>
      world.log.slice(before).some(({ request }) =>
        request.kind === "get-units" && request.items.some(({ block, unit }) => `${block}/${unit}` === key)
      )
    world.run(() => keys.every(again))
    // Before anybody would lose patience with the one that left.
    assert.isBelow(world.now - lostAt, 1900)
  })

  it("5.8, A16: incoming peers never outnumber outgoing ones among those that count", () => {
    const world = new World({ peers: 2, connections: { minPeers: 1, maxPeers: 12 }, sync: { until: undefined } })
    world.runFor(100)
    for (let at = 0; at < 5; at++) world.connect(world.meet(), "incoming")
    world.runFor(100)
    const counted = world.snapshot.peers.filter((peer) => peer.counted)
    const incoming = counted.filter(({ side }) => side === "incoming").length
    assert.isAtMost(incoming, counted.length - incoming)
    assert.strictEqual(incoming, 2)
  })

  it("an operator's ban ends the connection, and lifting it brings the peer back", () => {
    const world = new World({ peers: 5, connections: { minPeers: 4 }, sync: { until: undefined } }).runFor(1000)
    world.step({ kind: "ban", peer: "p4", reason: "it is ours" })
    assert.isUndefined(world.peers[4]!.number)
    world.runFor(100_000)
    assert.isUndefined(world.peers[4]!.number)
    world.step({ kind: "unban", peer: "p4" })
    world.runFor(100_000)
    assert.isDefined(world.peers[4]!.number)
    assert.deepStrictEqual(world.blamed, [])
  })
})
