import { assert, describe, it } from "@effect/vitest"
import { connectionOptions } from "../src/engine/connections/ConnectionDefaults.ts"
import { begin, connect, dialsOf, expected, failed, far, greylisted, kindsOf } from "./ConnectionsDriver.ts"

describe("the order of means (R104, R105, A29)", () => {
  it("R104, A29: the operator's points, then peers we were disconnected from, then told ones, the network's last", () => {
    const connections = begin([], { maxPeers: 20, hungryMargin: 0 })
    connections.addPoints([far(1)], "network", 0)
    connections.addPoints([far(2)], "advertised", 0)
    connections.addPoints([far(3)], "nack", 0)
    const seen = [{ point: far(4), id: "d", seen: 5, score: 40 }, { point: far(5), id: "e", seen: 5, score: 90 }]
    connections.restore(JSON.stringify({ version: 1, points: seen, bans: [], greylist: [], counters: [] }), 10)
    connections.addPoints([far(6)], "named", 0)
    const order = dialsOf(connections.wishes(10))
    assert.deepStrictEqual(order.slice(0, 3), [far(6), far(5), far(4)])
    assert.sameMembers(order.slice(3, 5), [far(2), far(3)])
    assert.strictEqual(order[5], far(1))
  })

  it("at most maxDials at a time", () => {
    const connections = begin(Array.from({ length: 8 }, (_, i) => far(i)), { maxDials: 3 })
    const first = dialsOf(connections.wishes(0))
    assert.lengthOf(first, 3)
    assert.lengthOf(connections.wishes(0), 0)
    connections.attemptEnded(first[0]!, undefined, failed, 1)
    assert.lengthOf(dialsOf(connections.wishes(1)), 1)
  })

  it("A29: asks every peer for points, each at most once in 60 s", () => {
    const connections = begin([far(0), far(1)])
    connections.wishes(0)
    const peers = [connect(connections, "a", far(0), 0), connect(connections, "b", far(1), 0)]
    const asked = connections.wishes(0).flatMap((wish) => wish.kind === "ask-peers" ? [wish.peer] : [])
    assert.sameMembers(asked, peers)
    assert.notInclude(kindsOf(connections.wishes(59_999)), "ask-peers")
    assert.lengthOf(kindsOf(connections.wishes(60_000)).filter((kind) => kind === "ask-peers"), 2)
  })

  it("A29: asks nobody while there are points to dial", () => {
    const connections = begin([far(0)])
    connections.wishes(0)
    connect(connections, "a", far(0), 0)
    connections.addPoints(Array.from({ length: 10 }, (_, i) => far(1 + i)), "advertised", 0)
    assert.deepStrictEqual([...new Set(kindsOf(connections.wishes(0)))], ["dial"])
  })

  it("R105, A29: then offers the top scorers a peer of ours, each at most once in 65 s", () => {
    const points = Array.from({ length: 5 }, (_, i) => far(i))
    const connections = begin(points)
    connections.wishes(0)
    const peers = points.map((point, i) => connect(connections, `p${i}`, point, 0))
    for (const [i, peer] of peers.entries()) connections.setScore(peer, 10 * (i + 1))
    connections.wishes(0)
    assert.deepStrictEqual(connections.wishes(29_999), [])
    const swaps = connections.wishes(30_000).filter((wish) => wish.kind === "swap")
    assert.deepStrictEqual(swaps.map((wish) => wish.peer), [peers[4], peers[3], peers[2]])
    for (const wish of swaps) {
      const offered = points.indexOf(wish.point)
      assert.strictEqual(wish.id, `p${offered}`)
      assert.notStrictEqual(peers[offered], wish.peer)
    }
    const next = connections.wishes(60_000).filter((wish) => wish.kind === "swap")
    assert.sameMembers(next.map((wish) => wish.peer), [peers[0]!, peers[1]!])
    const again = connections.wishes(95_000).filter((wish) => wish.kind === "swap")
    assert.deepStrictEqual(again.map((wish) => wish.peer), [peers[4], peers[3], peers[2]])
  })

  it("A29: never offers an inner address to a public peer, nor a peer to itself", () => {
    const connections = begin(["10.0.0.1:9732", far(0)])
    connections.wishes(0)
    const inner = connect(connections, "inner", "10.0.0.1:9732", 0)
    connect(connections, "outer", far(0), 0)
    connections.wishes(0)
    const swaps = connections.wishes(30_000).filter((wish) => wish.kind === "swap")
    assert.deepStrictEqual(swaps, [{ kind: "swap", peer: inner, point: far(0), id: "outer" }])
  })

  it("A29: a swap needs a peer of ours to offer", () => {
    const connections = begin([far(0)])
    connections.wishes(0)
    connect(connections, "a", far(0), 0)
    connections.wishes(0)
    assert.deepStrictEqual(connections.wishes(30_000).filter((wish) => wish.kind === "swap"), [])
  })

  it("A29: the network's names come last, at once when there is nobody to ask", () => {
    const connections = begin([])
    assert.deepStrictEqual(connections.wishes(0), [{ kind: "resolve-names" }])
    connections.addPoints([far(0)], "network", 0)
    assert.deepStrictEqual(dialsOf(connections.wishes(0)), [far(0)])
    connect(connections, "a", far(0), 0)
    assert.deepStrictEqual(kindsOf(connections.wishes(0)), ["ask-peers"])
    const at: Array<number> = []
    for (let now = 0; now <= 300_000; now += 1000) {
      if (kindsOf(connections.wishes(now)).includes("resolve-names")) at.push(now)
    }
    assert.deepStrictEqual(at, [120_000, 240_000])
  })

  it("A16: points of a full group are dialled below min alone", () => {
    const same = Array.from({ length: 6 }, (_, i) => `30.1.${i}.1:9732`)
    const poor = begin([], { maxPeers: 8, minPeers: 3 })
    poor.addPoints(same, "advertised", 0)
    assert.lengthOf(dialsOf(poor.wishes(0)), 3)
    const inner = begin(["10.0.0.1:9732"], { maxPeers: 8, minPeers: 3 })
    inner.addPoints(Array.from({ length: 6 }, (_, i) => `10.1.${i}.1:9732`), "advertised", 0)
    assert.lengthOf(dialsOf(inner.wishes(0)), 7)
  })
})

describe("what counts and what is told", () => {
  it("A16: named peers are exempt from the limit by group, others are not", () => {
    const connections = begin(["30.1.1.1:1", "30.1.1.2:1", "30.1.1.3:1"], { maxPerGroup: 1 })
    connections.wishes(0)
    const named = [1, 2, 3].map((i) => connect(connections, `n${i}`, `30.1.1.${i}:1`, 0))
    const first = connect(connections, "x", "30.1.1.4:1", 0)
    connect(connections, "y", "30.1.1.5:1", 0)
    assert.sameMembers([...connections.counted()], [...named, first])
  })

  it("A16: an incoming peer's group is that of the address it came from", () => {
    const connections = begin([far(0), far(1), far(2)], { maxPerGroup: 1 })
    for (let i = 0; i < 3; i++) connect(connections, `o${i}`, far(i), 0)
    const incoming = ["30.1.1.1", "30.1.1.2", "31.1.1.1"].map((host, i) => {
      assert.strictEqual(connections.admits(`i${i}`, host, "incoming", 0), undefined)
      return connect(connections, `i${i}`, undefined, 0, "incoming")
    })
    const counted = connections.counted().filter((peer) => incoming.includes(peer))
    assert.deepStrictEqual(counted, [incoming[0], incoming[2]])
  })

  it("tells points that were reached, best first, never failing, unwelcome, inner or the asker's own ones", () => {
    const connections = begin([far(0), far(1), far(2), far(3), "10.0.0.1:9732"])
    connections.addPoints([far(8)], "advertised", 0)
    connections.wishes(0)
    connections.setScore(connect(connections, "a", far(0), 0), 50)
    connect(connections, "b", far(1), 0)
    connect(connections, "inner", "10.0.0.1:9732", 0)
    connections.ended(connect(connections, "c", far(2), 0), expected, 1)
    connections.ended(connect(connections, "d", far(3), 0), greylisted, 1)
    assert.deepStrictEqual(connections.pointsToTell(10, 1), [far(1), far(0), far(2)])
    assert.deepStrictEqual(connections.pointsToTell(10, 1, far(1)), [far(0), far(2)])
    assert.deepStrictEqual(connections.pointsToTell(1, 1), [far(1)])
    assert.include(connections.pointsToTell(10, 1, "10.0.0.2"), "10.0.0.1:9732")
  })
})

describe("options", () => {
  it("5.13: defaults", () => {
    const { hungryMargin, maxIncoming, maxPeers, minPeers, reconnectLimit } = connectionOptions()
    assert.deepStrictEqual([minPeers, maxPeers, maxIncoming, hungryMargin, reconnectLimit], [10, 50, 25, 5, 5])
    assert.deepStrictEqual(connectionOptions({ maxPeers: 4 }).minPeers, 4)
  })

  it("an option out of range is named", () => {
    assert.throws(() => connectionOptions({ maxPeers: 0 }), /maxPeers/)
    assert.throws(() => connectionOptions({ maxPeers: 5, minPeers: 6 }), /minPeers/)
    assert.throws(() => connectionOptions({ reconnectCapMillis: 1 }), /reconnectCapMillis/)
    assert.throws(() => begin(["nonsense"]), /nonsense/)
  })
})
