import { assert, describe, it } from "@effect/vitest"
import { ConnectionLimits } from "../src/contract/ConnectionLimits.ts"
import { reconnectDelay } from "../src/engine/connections/Reconnection.ts"
import { begin, connect, dialsOf, expected, failed, far, greylisted, lost, statusOf } from "./ConnectionsDriver.ts"

describe("places", () => {
  it("R97: dials up to max − margin and leaves the rest for those who dial us", () => {
    const connections = begin(Array.from({ length: 3 }, (_, i) => far(i)))
    connections.addPoints(Array.from({ length: 20 }, (_, i) => far(10 + i)), "advertised", 0)
    assert.lengthOf(dialsOf(connections.wishes(0)), 7)
    assert.strictEqual(connections.admits("x", "9.9.9.9", "incoming", 0), undefined)
    assert.strictEqual(connections.admits("y", "9.9.9.9", "incoming", 0), "too-many")
    connect(connections, "x", undefined, 1, "incoming")
    for (const [i, point] of dialsOf(connections.wishes(1)).entries()) connect(connections, `o${i}`, point, 2)
    assert.strictEqual(connections.admits("z", "9.9.9.9", "incoming", 2), "too-many")
  })

  it("5.8: never more than max, dials and handshakes included", () => {
    const connections = begin([far(0)], { maxPeers: 2, minPeers: 1, hungryMargin: 1, maxIncoming: 2 })
    assert.lengthOf(dialsOf(connections.wishes(0)), 1)
    assert.strictEqual(connections.admits("a", "9.9.9.9", "incoming", 0), undefined)
    assert.strictEqual(connections.admits("b", "9.9.9.9", "incoming", 0), "too-many")
    const late = { peer: 900, id: "late", point: undefined, side: "incoming", named: false, score: 100 } as const
    assert.isFalse(connections.connected(late, 1))
    connect(connections, "a", undefined, 1, "incoming")
    connect(connections, "o", far(0), 1)
    assert.isFalse(connections.connected({ ...late, peer: 901 }, 1))
    assert.strictEqual(connections.active, 2)
  })

  it("5.8: a place kept for a handshake or dial that is never heard of again becomes free", () => {
    const connections = begin([far(0)], { maxPeers: 1, minPeers: 0, maxIncoming: 1 })
    assert.strictEqual(connections.admits("a", "9.9.9.9", "incoming", 0), undefined)
    assert.lengthOf(dialsOf(connections.wishes(0)), 0)
    assert.strictEqual(connections.wakeAt(0), ConnectionLimits.handshakeMillis)
    assert.lengthOf(dialsOf(connections.wishes(ConnectionLimits.handshakeMillis)), 1)
    const end = ConnectionLimits.handshakeMillis + ConnectionLimits.dialMillis
    assert.strictEqual(connections.wakeAt(ConnectionLimits.handshakeMillis), end)
    assert.strictEqual(connections.admits("a", "9.9.9.9", "incoming", end - 1), "too-many")
    assert.strictEqual(connections.admits("a", "9.9.9.9", "incoming", end), undefined)
  })

  it("A16: incoming connections take at most their half, and make us dial as many", () => {
    const connections = begin([], { maxPeers: 8 })
    for (let i = 0; i < 4; i++) {
      assert.strictEqual(connections.admits(`i${i}`, `9.${i}.9.9`, "incoming", 0), undefined)
      connect(connections, `i${i}`, undefined, 0, "incoming")
    }
    assert.strictEqual(connections.admits("i5", "9.5.9.9", "incoming", 0), "too-many")
    assert.lengthOf(connections.counted(), 0)
    connections.addPoints(Array.from({ length: 8 }, (_, i) => far(i)), "advertised", 0)
    assert.lengthOf(dialsOf(connections.wishes(0)), 4)
  })

  it("R97, R103: below min critical, below max − margin hungry", () => {
    const connections = begin(Array.from({ length: 8 }, (_, i) => far(i)), {
      maxPeers: 5,
      minPeers: 2,
      hungryMargin: 1
    })
    const levels: Array<string> = [connections.level]
    for (let i = 0; i < 5; i++) {
      connect(connections, `p${i}`, far(i), 0)
      levels.push(connections.level)
    }
    assert.deepStrictEqual(levels, ["critical", "critical", "hungry", "hungry", "normal", "normal"])
  })

  it("one connection an identity, and none with ourselves", () => {
    const connections = begin([far(0), far(1)])
    connections.wishes(0)
    connect(connections, "a", far(0), 1)
    assert.strictEqual(connections.admits("a", "9.9.9.9", "incoming", 1), "already-connected")
    assert.strictEqual(connections.admits("a", "9.9.9.9", "outgoing", 1), "already-connected")
    assert.strictEqual(connections.admits("me", "9.9.9.9", "incoming", 1), "already-connected")
    const again = { peer: 900, id: "a", point: far(1), side: "outgoing", named: false, score: 1 } as const
    assert.isFalse(connections.connected(again, 1))
    assert.strictEqual(connections.active, 1)
    connections.attemptEnded(far(1), "a", expected, 2)
    assert.strictEqual(connections.active, 1)
  })

  it("of two connections that both sides begin at once the one that the smaller id dialled wins, on both sides", () => {
    const small = begin([far(0)], {}, { ownId: "a" })
    const large = begin([far(1)], {}, { ownId: "b" })
    for (const [connections, other] of [[small, "b"], [large, "a"]] as const) {
      assert.strictEqual(connections.admits(other, "1.1.1.1", "outgoing", 0), undefined)
    }
    assert.strictEqual(small.admits("b", "1.1.1.1", "incoming", 0), "already-connected")
    assert.strictEqual(large.admits("a", "1.1.1.1", "incoming", 0), undefined)
  })

  it("an identity whose handshake runs is not dialled meanwhile", () => {
    const connections = begin([far(0)])
    connections.wishes(0)
    connections.ended(connect(connections, "a", far(0), 0), expected, 0)
    assert.strictEqual(connections.admits("a", "9.9.9.9", "incoming", 59_999), undefined)
    assert.deepStrictEqual(dialsOf(connections.wishes(60_000)), [])
    connections.attemptEnded(undefined, "a", lost, 60_001)
    assert.deepStrictEqual(dialsOf(connections.wishes(60_001)), [far(0)])
  })

  it("a point where we met ourselves is never dialled again", () => {
    const connections = begin([far(0)])
    assert.deepStrictEqual(dialsOf(connections.wishes(0)), [far(0)])
    connections.attemptEnded(far(0), "me", expected, 1)
    assert.strictEqual(connections.addPoints([far(0)], "advertised", 1), 0)
    assert.deepStrictEqual(dialsOf(connections.wishes(1e9)), [])
    assert.strictEqual(begin([], {}, { ownPoints: [far(3)] }).addPoints([far(3)], "network", 0), 0)
  })
})

describe("reconnection", () => {
  it("R98–R101, A27: so many attempts, counted when made, then banned until the window ends", () => {
    const connections = begin([far(0), far(9)], { reconnectLimit: 3, reconnectWindowMillis: 100_000 })
    connections.wishes(0)
    connect(connections, "other", far(9), 0)
    connections.ended(connect(connections, "a", far(0), 0), lost, 10)
    const started = 1010
    assert.strictEqual(statusOf(connections, far(0), 10)?.restUntilMillis, started)
    let now = started
    for (let attempt = 1; attempt <= 3; attempt++) {
      assert.deepStrictEqual(dialsOf(connections.wishes(now - 1)), [], `too early for attempt ${attempt}`)
      assert.deepStrictEqual(dialsOf(connections.wishes(now)), [far(0)])
      assert.strictEqual(statusOf(connections, far(0), now)?.reconnects, attempt)
      connections.attemptEnded(far(0), undefined, failed, now)
      if (attempt < 3) now += Math.ceil(1000 * 1.2 ** attempt)
    }
    const known = statusOf(connections, far(0), now)!
    assert.strictEqual(known.status, "banned")
    assert.match(known.reason!, /after 3 attempts .*limit 3/)
    assert.strictEqual(known.restUntilMillis, started + 100_000)
    assert.strictEqual(connections.admits("a", "9.9.9.9", "incoming", now), "banned")
    assert.deepStrictEqual(dialsOf(connections.wishes(started + 99_999)), [])
    assert.deepStrictEqual(dialsOf(connections.wishes(started + 100_000)), [far(0)])
    assert.strictEqual(statusOf(connections, far(0), started + 100_000)?.reconnects, 1)
  })

  it("A27: success does not reset the counter", () => {
    const connections = begin([far(0)], { reconnectLimit: 2 })
    let now = 0
    for (let round = 0; round <= 2; round++) {
      now = connections.wakeAt(now)
      assert.deepStrictEqual(dialsOf(connections.wishes(now)), [far(0)], `round ${round}`)
      connections.ended(connect(connections, "a", far(0), now), lost, now)
    }
    assert.strictEqual(statusOf(connections, far(0), now)?.status, "banned")
    assert.strictEqual(statusOf(connections, far(0), now)?.reconnects, 2)
  })

  it("R102: the window alone resets the counter", () => {
    const connections = begin([far(0)], { reconnectLimit: 5, reconnectWindowMillis: 10_000 })
    connections.wishes(0)
    connections.ended(connect(connections, "a", far(0), 0), lost, 0)
    connections.wishes(1000)
    assert.strictEqual(statusOf(connections, far(0), 10_999)?.reconnects, 1)
    assert.strictEqual(statusOf(connections, far(0), 11_000)?.reconnects, 0)
  })

  it("A27: one identity with many points has one counter", () => {
    const connections = begin([far(0), far(1), far(9)], { reconnectLimit: 2 })
    connections.wishes(0)
    connect(connections, "other", far(9), 0)
    for (const point of [far(0), far(1)]) {
      const peer = connect(connections, "a", point, 0)
      connections.ended(peer, lost, 0)
    }
    let now = 0
    const dialled: Array<string> = []
    while (dialled.length < 2 && now < 10_000) {
      now += 100
      for (const point of dialsOf(connections.wishes(now))) {
        dialled.push(point)
        connections.attemptEnded(point, undefined, failed, now)
      }
    }
    assert.sameMembers(dialled, [far(0), far(1)])
    for (const point of [far(0), far(1)]) assert.strictEqual(statusOf(connections, point, now)?.status, "banned")
  })

  it("A27: attempts counted at a point go to the identity that is met there", () => {
    const connections = begin([far(0)], { reconnectLimit: 5 })
    const counters = [{ key: `point ${far(0)}`, count: 2, windowStart: 0, lost: true }]
    connections.restore(JSON.stringify({ version: 1, points: [], bans: [], greylist: [], counters }), 0)
    connections.wishes(0)
    connect(connections, "a", far(0), 0)
    assert.strictEqual(statusOf(connections, "a", 0)?.reconnects, 3)
  })

  it("5.8: the delay before attempt n is base × 1.2ⁿ up to the cap", () => {
    const options = { reconnectBaseMillis: 1000, reconnectCapMillis: 172_800_000 }
    assert.deepStrictEqual([0, 1, 2, 5].map((n) => reconnectDelay(options, n)), [1000, 1200, 1440, 2489])
    assert.strictEqual(reconnectDelay(options, 66), Math.ceil(1000 * 1.2 ** 66))
    for (const n of [67, 100, 1e9]) assert.strictEqual(reconnectDelay(options, n), 172_800_000)
  })

  it("5.8: a point that was never reached is tried later and later, and not banned", () => {
    const connections = begin([far(0), far(9)])
    connections.wishes(0)
    connect(connections, "other", far(9), 0)
    let now = 0
    const delays: Array<number> = []
    for (let i = 0; i < 8; i++) {
      connections.attemptEnded(far(0), undefined, failed, now)
      const rest = statusOf(connections, far(0), now)!.restUntilMillis
      delays.push(rest - now)
      now = rest
      assert.deepStrictEqual(dialsOf(connections.wishes(now)), [far(0)])
    }
    assert.deepStrictEqual(delays, [1000, 1200, 1440, 1728, 2074, 2489, 2986, 3584])
    assert.strictEqual(statusOf(connections, far(0), now)?.reconnects, 0)
  })

  it("never blame without proof: our own faults count nowhere", () => {
    const connections = begin([far(0), far(9)], { reconnectLimit: 1 })
    connections.wishes(0)
    connect(connections, "other", far(9), 0)
    connections.ended(connect(connections, "a", far(0), 0), lost, 0)
    let now = 0
    for (let i = 0; i < 10; i++) {
      now += 1000
      assert.deepStrictEqual(dialsOf(connections.wishes(now)), [far(0)])
      connections.attemptEnded(far(0), undefined, { kind: "local-fault", message: "no route" }, now)
    }
    assert.deepStrictEqual(
      [statusOf(connections, far(0), now)?.reconnects, statusOf(connections, far(0), now)?.status],
      [0, "idle"]
    )
  })

  it("never blame without proof: while nobody at all answers, attempts wait longer but do not lead to a ban", () => {
    const connections = begin([far(0)], { reconnectLimit: 1 })
    connections.wishes(0)
    connections.ended(connect(connections, "a", far(0), 0), lost, 0)
    let now = 1000
    for (let i = 0; i < 5; i++) {
      assert.deepStrictEqual(dialsOf(connections.wishes(now)), [far(0)])
      connections.attemptEnded(far(0), undefined, failed, now)
      const rest = statusOf(connections, far(0), now)!.restUntilMillis
      assert.strictEqual(rest - now, Math.ceil(1000 * 1.2 ** i))
      now = rest
    }
    assert.strictEqual(statusOf(connections, far(0), now)?.status, "idle")
  })

  it("5.8: an expected end has no counter but a cool-down", () => {
    const connections = begin([far(0)])
    connections.wishes(0)
    connections.ended(connect(connections, "a", far(0), 0), expected, 5)
    assert.deepStrictEqual(dialsOf(connections.wishes(60_004)), [])
    assert.strictEqual(connections.wakeAt(60_004), 60_005)
    assert.deepStrictEqual(dialsOf(connections.wishes(60_005)), [far(0)])
    connections.attemptEnded(far(0), undefined, expected, 60_005)
    assert.strictEqual(statusOf(connections, far(0), 60_005)?.restUntilMillis, 120_005)
    assert.strictEqual(statusOf(connections, far(0), 60_005)?.reconnects, 0)
  })
})

describe("greylist and bans", () => {
  it("A37, 5.7.1: by our own decision a peer is left alone by id and point, twice as long each time up to the longest", () => {
    const connections = begin([far(0)], { greylistMillis: 1000, greylistLongestMillis: 3000 })
    let now = 0
    const times: Array<number> = []
    for (let i = 0; i < 4; i++) {
      assert.deepStrictEqual(dialsOf(connections.wishes(now)), [far(0)])
      connections.ended(connect(connections, "a", far(0), now), greylisted, now)
      const known = statusOf(connections, far(0), now)!
      assert.deepStrictEqual([known.status, known.greylistings, known.reason], ["greylisted", i + 1, "proof"])
      assert.strictEqual(connections.admits("a", "9.9.9.9", "incoming", now), "banned")
      assert.deepStrictEqual(dialsOf(connections.wishes(known.restUntilMillis - 1)), [])
      times.push(known.restUntilMillis - now)
      now = known.restUntilMillis
    }
    assert.deepStrictEqual(times, [1000, 2000, 3000, 3000])
  })

  it("5.7.1: for a protocol error the longest at once", () => {
    const connections = begin([far(0)])
    connections.wishes(0)
    connections.ended(connect(connections, "a", far(0), 0), { ...greylisted, longest: true }, 0)
    assert.strictEqual(statusOf(connections, far(0), 0)?.restUntilMillis, 86_400_000)
  })

  it("an identity that only the handshake told is not greylisted, the point is", () => {
    const connections = begin([far(0)])
    connections.wishes(0)
    connections.attemptEnded(far(0), "victim", { ...greylisted, longest: true }, 0)
    assert.strictEqual(statusOf(connections, far(0), 0)?.status, "greylisted")
    assert.strictEqual(connections.admits("victim", "9.9.9.9", "incoming", 0), undefined)
  })

  it("a point that an incoming peer only claims is not greylisted when somebody else was met there", () => {
    const connections = begin([far(0)])
    connections.wishes(0)
    connections.ended(connect(connections, "honest", far(0), 0), expected, 0)
    connections.ended(connect(connections, "liar", far(0), 1, "incoming"), greylisted, 1)
    assert.strictEqual(statusOf(connections, far(0), 1)?.status, "idle")
    assert.strictEqual(connections.admits("liar", "9.9.9.9", "incoming", 1), "banned")
  })

  it("an operator's ban holds by point and by id until it is lifted", () => {
    const connections = begin([far(0), far(1)])
    connections.wishes(0)
    connections.ended(connect(connections, "a", far(0), 0), expected, 0)
    assert.isTrue(connections.ban(far(0), "spam", 0))
    assert.isFalse(connections.ban(far(0), "spam", 0))
    assert.isTrue(connections.ban("b", "spam", 0))
    assert.isFalse(connections.ban("not: an id", "spam", 0))
    assert.isFalse(connections.ban("1.2.3.4", "spam", 0))
    for (const id of ["a", "b"]) assert.strictEqual(connections.admits(id, "9.9.9.9", "incoming", 1e12), "banned")
    assert.isFalse(dialsOf(connections.wishes(1e12)).includes(far(0)))
    assert.strictEqual(statusOf(connections, "b", 1e12)?.status, "banned")
    assert.isTrue(connections.unban(far(0), 1e12))
    assert.isTrue(connections.unban("b", 1e12))
    assert.isFalse(connections.unban("b", 1e12))
    assert.isTrue(dialsOf(connections.wishes(1e12)).includes(far(0)))
    assert.strictEqual(connections.admits("a", "9.9.9.9", "incoming", 1e12), undefined)
  })

  it("5.12.7: a peer that is banned while its handshake runs does not become active", () => {
    const connections = begin([far(0)])
    connections.wishes(0)
    assert.strictEqual(connections.admits("a", "20.1.1.1", "outgoing", 0), undefined)
    connections.ban(far(0), "spam", 1)
    const peer = { peer: 900, id: "a", point: far(0), side: "outgoing", named: true, score: 100 } as const
    assert.isFalse(connections.connected(peer, 2))
  })
})
