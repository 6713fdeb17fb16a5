import { assert, describe, it } from "@effect/vitest"
import { Random } from "@peerstrap/simulator"
import { ConnectionLimits } from "../src/contract/ConnectionLimits.ts"
import type { ConnectionOptions, Connections, ConnectionSeeds, ConnectionWish } from "../src/contract/Connections.ts"
import { connectionOptions } from "../src/engine/connections/ConnectionDefaults.ts"
import { makeConnections } from "../src/engine/connections/Connections.ts"
import { reconnectDelay } from "../src/engine/connections/Reconnection.ts"

const begin = (
  named: ReadonlyArray<string> = [],
  options: Partial<ConnectionOptions> = {},
  seeds: Partial<ConnectionSeeds> = {}
): Connections => {
  const random = Random.make(1)
  return makeConnections(connectionOptions({ maxPeers: 8, minPeers: 1, ...options }), {
    random: () => random.float(),
    ownId: "me",
    named,
    ...seeds
  })
}

const dialsOf = (wishes: ReadonlyArray<ConnectionWish>): ReadonlyArray<string> =>
  wishes.flatMap((wish) => wish.kind === "dial" ? [wish.point] : [])
const kindsOf = (wishes: ReadonlyArray<ConnectionWish>): ReadonlyArray<string> => wishes.map((wish) => wish.kind)

/** A public address that shares its group with no other number. */
const far = (i: number): string => `${20 + i}.1.1.1:9732`

let nextPeer = 1
const connect = (
  connections: Connections,
  id: string,
  point: string | undefined,
  now: number,
  side: "outgoing" | "incoming" = "outgoing"
): number => {
  const peer = nextPeer++
  assert.isTrue(connections.connected({ peer, id, point, side, named: false, score: 100 }, now), `${id} at ${point}`)
  return peer
}
const lost = { kind: "lost", message: "reset" } as const
const failed = { kind: "dial-failed", message: "refused" } as const
const expected = { kind: "expected", message: "nacked" } as const
const greylisted = { kind: "greylisted", message: "proof", longest: false } as const

const statusOf = (connections: Connections, point: string, now: number) =>
  connections.known(now).find((known) => known.point === point || known.id === point)

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
