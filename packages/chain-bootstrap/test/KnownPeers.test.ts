import { assert, describe, it } from "@effect/vitest"
import { Random } from "@peerstrap/simulator"
import * as fc from "fast-check"
import { ConnectionLimits } from "../src/contract/ConnectionLimits.ts"
import type { ConnectionOptions, Connections } from "../src/contract/Connections.ts"
import { BoundedRecords } from "../src/engine/connections/BoundedRecords.ts"
import { connectionOptions } from "../src/engine/connections/ConnectionDefaults.ts"
import { makeConnections } from "../src/engine/connections/Connections.ts"

const begin = (named: ReadonlyArray<string> = [], options: Partial<ConnectionOptions> = {}): Connections => {
  const random = Random.make(3)
  return makeConnections(connectionOptions({ maxPeers: 8, minPeers: 1, ...options }), {
    random: () => random.float(),
    ownId: "me",
    named
  })
}

const far = (i: number): string => `${20 + i}.1.1.1:9732`
const pointsOf = (connections: Connections, now = 0): ReadonlyArray<string | undefined> =>
  connections.known(now).map((known) => known.point)
const outgoing = (peer: number, id: string, point: string) =>
  ({ peer, id, point, side: "outgoing", named: false, score: 77 }) as const

describe("points that are taken", () => {
  it("takes new points once and in canonical form", () => {
    const connections = begin()
    assert.strictEqual(connections.addPoints([far(0), far(0), "[::ffff:20.1.1.1]:9732", far(1)], "advertised", 0), 2)
    assert.strictEqual(connections.addPoints([far(0)], "nack", 0), 0)
    assert.sameMembers([...pointsOf(connections)], [far(0), far(1)])
  })

  it("gossip brings neither names nor unusable addresses nor ways into inner networks", () => {
    const connections = begin([far(0)])
    const told = ["boot.example.org:9732", "224.0.0.1:1", "0.0.0.0:1", "127.0.0.1:22", "10.0.0.1:22", "?"]
    for (const source of ["advertised", "nack", "swap"] as const) {
      assert.strictEqual(connections.addPoints(told, source, 0), 0)
    }
    assert.strictEqual(connections.addPoints(["boot.example.org:9732", "10.0.0.1:9732"], "network", 0), 2)
  })

  it("inner points are taken from gossip where we are at home in such a network", () => {
    assert.strictEqual(begin(["10.0.0.1:9732"]).addPoints(["192.168.0.1:1", "127.0.0.1:1"], "advertised", 0), 1)
    assert.strictEqual(begin(["127.0.0.1:9732"]).addPoints(["192.168.0.1:1", "127.0.0.1:1"], "advertised", 0), 1)
  })

  it("A34: one message brings at most so many points", () => {
    const points = Array.from({ length: 150 }, (_, i) => far(i))
    assert.strictEqual(begin().addPoints(points, "advertised", 0), ConnectionLimits.pointsPerMessage)
  })
})

describe("the bound of the table (A34)", () => {
  it("A34: a flood of points displaces none that is named, in use, banned, or was connected with", () => {
    const connections = begin([far(0)], { maxKnownPoints: 10, maxDials: 2 })
    connections.addPoints([far(1), far(2), far(3), far(4)], "advertised", 0)
    connections.wishes(0)
    const dialled = connections.known(0).filter((known) => known.status === "dialling").map((known) => known.point!)
    const [first, second] = dialled as [string, string]
    connections.connected(outgoing(1, "a", first), 0)
    connections.connected(outgoing(2, "b", second), 0)
    connections.ended(2, { kind: "expected", message: "" }, 0)
    const dialling = connections.wishes(0).flatMap((wish) => wish.kind === "dial" ? [wish.point] : [])
    const rest = [1, 2, 3, 4].map(far).find((point) => ![...dialled, ...dialling].includes(point))
    const banned = rest ?? far(4)
    connections.ban(banned, "spam", 0)
    for (let i = 0; i < 50; i++) {
      connections.addPoints(Array.from({ length: 20 }, (_, k) => `${100 + i}.${k}.1.1:1`), "advertised", 1)
    }
    const left = pointsOf(connections)
    assert.lengthOf(left, 10)
    for (const point of [far(0), first, second, ...dialling, banned]) assert.include(left, point)
  })

  it("A34: points that fail go before points that were not tried", () => {
    const connections = begin([], { maxKnownPoints: 3, maxDials: 1 })
    connections.addPoints([far(0), far(1), far(2)], "advertised", 0)
    const [wish] = connections.wishes(0)
    assert.isTrue(wish?.kind === "dial")
    if (wish?.kind !== "dial") return
    connections.attemptEnded(wish.point, undefined, { kind: "dial-failed", message: "refused" }, 0)
    assert.strictEqual(connections.addPoints([far(5)], "advertised", 0), 1)
    assert.notInclude(pointsOf(connections), wish.point)
  })

  it("named points stand even when there are more than the bound", () => {
    const named = Array.from({ length: 6 }, (_, i) => far(i))
    const connections = begin(named, { maxKnownPoints: 2 })
    assert.sameMembers([...pointsOf(connections)], named)
    assert.strictEqual(connections.addPoints([far(9)], "advertised", 0), 0)
  })

  it("a bounded map pushes out what is spent, then the oldest that may go, else refuses", () => {
    const records = new BoundedRecords<{ spent: boolean; kept: boolean }>({
      capacity: 2,
      spent: (value) => value.spent,
      kept: (value) => value.kept
    })
    const [plain, spent, kept] = [{ spent: false, kept: false }, { spent: true, kept: false }, {
      spent: false,
      kept: true
    }]
    const keys = (): ReadonlyArray<string> => [...records.entries()].map(([key]) => key)
    records.set("a", plain, 0)
    records.set("b", spent, 0)
    assert.isTrue(records.set("c", kept, 0))
    assert.deepStrictEqual(keys(), ["a", "c"])
    assert.isTrue(records.set("d", kept, 0))
    assert.deepStrictEqual(keys(), ["c", "d"])
    assert.isFalse(records.set("e", plain, 0))
    assert.isTrue(records.set("c", plain, 0))
  })
})

const grown = (): Connections => {
  const connections = begin([far(0), far(1), far(2)], { reconnectLimit: 1 })
  connections.wishes(0)
  for (const [i, id] of ["a", "b", "c"].entries()) connections.connected(outgoing(i + 1, id, far(i)), 0)
  connections.ended(1, { kind: "lost", message: "reset" }, 100)
  connections.wishes(1100)
  connections.attemptEnded(far(0), undefined, { kind: "dial-failed", message: "refused" }, 1100)
  connections.ended(2, { kind: "greylisted", message: "bad proof", longest: false }, 200)
  connections.ban("evil", "spam", 200)
  return connections
}

const facts = (connections: Connections) =>
  connections.known(2000)
    .map(({ greylistings, id, lastScore, point, reason, reconnects, restUntilMillis, windowStartMillis }) =>
      JSON.stringify([point, id, lastScore, reconnects, windowStartMillis, restUntilMillis, greylistings, reason])
    ).toSorted()

describe("the known peers' document", () => {
  it("A27, 5.7.1: bans, greylistings, scores and counters survive a restart, with absolute times", () => {
    const before = grown()
    const after = begin()
    assert.deepStrictEqual(after.restore(before.save(), 2000), { restored: 3, problem: undefined })
    assert.deepStrictEqual(facts(after), facts(before))
    for (const id of ["a", "b", "evil"]) assert.strictEqual(after.admits(id, "9.9.9.9", "incoming", 2000), "banned")
    assert.strictEqual(after.admits("b", "9.9.9.9", "incoming", 900_200), undefined)
    assert.strictEqual(after.admits("evil", "9.9.9.9", "incoming", 1e12), "banned")
  })

  it("named points stay named only by configuration", () => {
    const text = grown().save()
    const after = begin([far(2)])
    after.restore(text, 2000)
    assert.deepStrictEqual(after.known(2000).filter((known) => known.named).map((known) => known.point), [far(2)])
    assert.isTrue(after.known(2000).filter((known) => !known.named).every((known) => known.source !== "named"))
    assert.isTrue(after.isNamed(far(2)) && after.isNamed("c") && !after.isNamed(far(0)))
  })

  it("times of a clock that ran ahead do not keep peers away for longer than they could be", () => {
    const text = JSON.stringify({
      version: 1,
      points: [{ point: far(0), id: "a", restUntil: 1e15, seen: 1e15 }],
      bans: [{ key: "id b", until: 1e15, reason: "counter" }],
      greylist: [{ key: "id c", until: 1e15, times: 1, reason: "proof" }],
      counters: [{ key: "id a", count: 99, windowStart: 1e15, lost: true }]
    })
    const after = begin()
    after.restore(text, 1000)
    const [known] = after.known(1000)
    assert.deepStrictEqual([known?.lastSeenMillis, known?.reconnects, known?.windowStartMillis], [1000, 5, 1000])
    assert.strictEqual(known?.restUntilMillis, 1000 + 172_800_000)
    for (const id of ["b", "c"]) {
      assert.strictEqual(after.admits(id, "9.9.9.9", "incoming", 86_400_999), "banned")
      assert.strictEqual(after.admits(id, "9.9.9.9", "incoming", 86_401_000), undefined)
    }
  })

  it("ignores what it cannot read and says how much", () => {
    const point = { point: far(0), id: "a" }
    const wrong: ReadonlyArray<readonly [string, number, RegExp]> = [
      ["", 0, /not JSON/],
      ["{", 0, /not JSON/],
      ["null", 0, /not a JSON object/],
      ["[]", 0, /version null/],
      [`{"version":2}`, 0, /version 2 instead of 1/],
      [`{"version":1}`, 0, /points is no list.*counters is no list/],
      [" ".repeat(ConnectionLimits.savedCharacters + 1), 0, /more than/]
    ]
    for (const [text, restored, problem] of wrong) {
      const result = begin().restore(text, 0)
      assert.strictEqual(result.restored, restored)
      assert.match(result.problem ?? "", problem)
    }
    const bans = [{ key: "nonsense", until: null, reason: "" }, { key: "id b", until: null, reason: "spam" }, 7]
    const points = [point, null, { point: 7 }, { point: "?:x" }]
    const after = begin()
    const result = after.restore(JSON.stringify({ version: 1, points, bans, greylist: [{}], counters: [] }), 0)
    assert.strictEqual(result.restored, 1)
    assert.match(result.problem!, /2 of 4 points, 2 of 3 bans, 1 of 1 greylist; .*1 of 2 points are malformed/)
    assert.strictEqual(after.admits("b", "9.9.9.9", "incoming", 0), "banned")
  })

  it("no text makes it throw, and what it takes is within the bounds", () => {
    const good = JSON.parse(grown().save()) as Record<string, unknown>
    const field = fc.constantFrom("version", "points", "bans", "greylist", "counters")
    fc.assert(
      fc.property(field, fc.jsonValue(), fc.string(), (name, value, junk) => {
        const connections = begin([], { maxKnownPoints: 5 })
        connections.restore(junk, 0)
        connections.restore(JSON.stringify({ ...good, [name]: value }), 0)
        const twisted = Array.isArray(good[name])
          ? [...good[name] as Array<unknown>, value, { key: value, point: value }]
          : value
        connections.restore(JSON.stringify({ ...good, [name]: twisted }), 0)
        assert.isAtMost(connections.known(0).filter((known) => known.point !== undefined).length, 8)
        connections.wishes(0)
      }),
      { seed: 11, numRuns: 300 }
    )
  })
})
