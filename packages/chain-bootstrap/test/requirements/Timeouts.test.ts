/** Mission 003, handling timeouts: what happens when nobody answers. */
import { assert, describe, it } from "@effect/vitest"
import { defaultScoreTable } from "../../src/engine/standing/ScoreTables.ts"
import { defaultSyncTimers } from "../../src/engine/SyncDefaults.ts"
import { World } from "./driver.ts"

const open = { minQuorumPeers: 9 }

/** Silence costs nothing, so that the silent ones stay. */
const lenient = {
  ...defaultScoreTable,
  offences: { ...defaultScoreTable.offences, "branch-unanswered": { points: 0, serious: false, atOnce: false } }
}

describe("every request has a timer", () => {
  it("R10, R106, 5.12.11: after each request there is a time at which it has failed", () => {
    const world = new World({ levels: 80, sync: { until: undefined } })
    const { timers } = world.options
    const least = { "get-branch": timers.branch, "get-headers": timers.header, "get-units": timers.unit }
    for (const kind of ["get-branch", "get-headers", "get-units"] as const) {
      for (const peer of world.peers) peer.silentOn.add(kind)
      world.run(() => world.asked(kind).length > 0)
      assert.isAtMost(world.engine.wakeAt() - world.now, least[kind], kind)
      const before = world.snapshot.counters.requestsTimedOut
      world.run(() => world.snapshot.counters.requestsTimedOut > before, 40_000)
      assert.isAbove(world.snapshot.counters.requestsTimedOut, before, kind)
      for (const peer of world.peers) peer.silentOn.delete(kind)
    }
    world.runFor(60_000)
    assert.strictEqual(world.head.level, 80)
  })

  it("R10, 5.7.2: a head that is not told costs nothing; after a long silence the peer is left, without blame", () => {
    const world = new World({ peers: 5, connections: { minPeers: 4 }, sync: { until: undefined } }).runFor(2000)
    const mute = world.peers[2]!
    for (const kind of ["get-head", "get-branch", "get-headers", "get-units", "get-peers"] as const) {
      mute.silentOn.add(kind)
    }
    world.runFor(100_000)
    assert.isAbove(world.asked("get-head", mute).length, 1)
    assert.isDefined(mute.number)
    world.run(() => mute.number === undefined, 60_000)
    assert.isUndefined(mute.number)
    assert.deepStrictEqual(world.blamed, [])
  })

  it("A36: no answer to Bootstrap or SwapRequest is no fault", () => {
    const world = new World({ connections: { minPeers: 4, maxPeers: 20 }, sync: { until: undefined } })
    for (const peer of world.peers) peer.silentOn.add("get-peers").add("swap-request")
    world.runFor(300_000)
    assert.isAbove(world.asked("get-peers").length, 0)
    assert.isAbove(world.asked("swap-request").length, 0)
    assert.deepStrictEqual(world.blamed, [])
  })
})

describe("no answer to GetCurrentBranch", () => {
  it("R107, R108, R109: each costs points, it is asked again while any are left, then the peer is left", () => {
    const world = new World({ peers: 5, connections: { minPeers: 4 }, sync: { until: undefined } })
    const mute = world.peers[4]!
    mute.silentOn.add("get-branch")
    // Somebody answers in each window.
    const scores: Array<number | undefined> = []
    for (let times = 0; times < 12; times++) {
      world.run(() => false, 15_020)
      scores.push(world.score(mute))
      world.say(world.peers[0]!, world.peers[0]!.branch)
    }
    assert.deepStrictEqual(scores.filter((score) => score !== undefined).slice(0, 5), [90, 80, 70, 60, 50])
    assert.isUndefined(mute.number)
    assert.strictEqual(world.asked("get-branch", mute).length, 10)
    assert.isTrue(world.blamed.every((one) => one === "p4 branch-unanswered"))
    const at = world.asked("get-branch", mute).map(({ atMillis }) => atMillis)
    for (const [index, time] of at.entries()) {
      if (index > 0) assert.isAtLeast(time - at[index - 1]!, world.options.timers.branchSpacing)
    }
  })

  it("R107, never blame without proof: when nobody answers, it may be our own line, and costs nothing", () => {
    const world = new World({ sync: { until: undefined } })
    for (const peer of world.peers) peer.silentOn.add("get-branch")
    world.runFor(100_000)
    assert.deepStrictEqual(world.blamed, [])
    assert.isAtLeast(world.asked("get-branch", world.peers[0]).length, 6)
    assert.strictEqual(world.score(world.peers[0]!), 100)
  })
})

describe("no answer to requests for headers and operations", () => {
  it("R11, R110: it costs nothing, however often", () => {
    const world = new World({ levels: 200, sync: { until: { level: 200 } } })
    for (const kind of ["get-headers", "get-units"] as const) world.peers[0]!.silentOn.add(kind)
    world.run()
    assert.strictEqual(world.head.level, 200)
    assert.isAbove(world.asked("get-units", world.peers[0]).length, 0)
    assert.deepStrictEqual([world.blamed, world.score(world.peers[0]!)], [[], 100])
  })

  it("R111, R112, R113, R115, A30: three sends of a hash to a peer, each waiting longer, then it is not asked for it", () => {
    const world = new World({ peers: [{ locator: [30, 0] }], sync: { ...open, headerPolicy: "own" } })
    const peer = world.peers[0]!
    peer.silentOn.add("get-headers")
    const hash = world.chain.at(30).header.id
    const sends = () =>
      world.asked("get-headers", peer).filter(({ request }) => request.ids.includes(hash)).map(({ atMillis }) =>
        atMillis
      )
    world.runFor(100_000)
    const times = sends()
    assert.strictEqual(times.length, 3)
    const [first, second] = [times[1]! - times[0]!, times[2]! - times[1]!]
    assert.isAtLeast(first, 5000)
    assert.isAtLeast(second, 7500)
    assert.isAbove(world.snapshot.counters.requestsTimedOut, 2)
  })

  it("R114: an answer takes the hash off the list", () => {
    const world = new World({ peers: [{ locator: [30, 0] }], sync: { ...open, headerPolicy: "own" } })
    const peer = world.peers[0]!
    const hash = world.chain.at(30).header.id
    world.runFor(60_000)
    assert.strictEqual(world.headersAsked(peer).filter((id) => id === hash).length, 1)
    assert.strictEqual(world.snapshot.peers[0]?.outstanding, 0)
  })

  it("R116: what one peer does not serve another one is asked for, until somebody answers", () => {
    const world = new World({
      peers: Array.from({ length: 4 }, () => ({ locator: [40, 0] })),
      sync: { until: { level: 40 } }
    })
    const rare = world.chain.at(20).header.id
    for (const peer of world.peers.slice(0, 3)) peer.lacks.add(rare)
    world.run()
    assert.strictEqual(world.head.level, 40)
    assert.include(world.headersAsked(world.peers[3]), rare)
    assert.deepStrictEqual(world.blamed, [])
  })

  it("R116, R117, A31: a hash that nobody serves is given up; who named it loses nothing, and is asked for its branch again", () => {
    const world = new World({
      peers: [{ locator: [30, 0] }, {}, {}, {}],
      sync: { headerPolicy: "all", until: undefined }
    })
    const [source] = world.peers
    const ghost = "ab".repeat(32)
    source!.alter = (answer) =>
      answer.kind === "branch"
        ? { ...answer, entries: answer.entries.map((entry) => entry.level === 30 ? { ...entry, id: ghost } : entry) }
        : answer
    for (const peer of world.peers) for (const { header } of world.chain.main) peer.lacks.add(header.id)
    world.run(() => world.noticed("unavailable").some(({ id }) => id === ghost), 200_000)
    assert.isTrue(world.noticed("unavailable").some(({ id }) => id === ghost))
    assert.deepStrictEqual(world.blamed, [])
    assert.strictEqual(world.score(source!), 100)
    const givenUp = world.now
    world.runFor(6000)
    assert.isTrue(world.asked("get-branch", source).some(({ atMillis }) => atMillis >= givenUp))
    // The others go on: the hash held nobody up.
    for (const peer of world.peers) peer.lacks.clear()
    world.runFor(700_000)
    assert.strictEqual(world.head.level, 60)
  })

  it("R115, A31: a new branch gives what was not to be asked again another chance", () => {
    const timers = { ...defaultSyncTimers, stuck: 3_600_000 }
    const world = new World({ levels: 20, peers: 1, sync: { minQuorumPeers: 1, until: { level: 20 }, timers } })
    const peer = world.peers[0]!
    peer.silentOn.add("get-units")
    world.runFor(480_000)
    assert.isAbove(world.snapshot.peers[0]?.doNotAsk ?? 0, 0)
    const asked = world.unitsAsked().length
    peer.silentOn.delete("get-units")
    world.runFor(60_000)
    assert.strictEqual(world.unitsAsked().length, asked)
    world.say(peer, peer.branch)
    world.runFor(90_000)
    assert.strictEqual(world.head.level, 20)
    assert.deepStrictEqual(world.blamed, [])
  })
})

describe("no progress", () => {
  it("A38: fresh branches, then other peers, then a report; the quorum is never lowered", () => {
    const silent = { silentOn: ["get-branch"] as const }
    const world = new World({ peers: [{}, {}, silent, silent], sync: { until: undefined }, scores: lenient })
    world.runFor(500_000)
    assert.deepStrictEqual(
      world.noticed("stuck").map(({ escalation }) => escalation).slice(0, 3),
      ["refresh", "rotate", "report"]
    )
    assert.deepStrictEqual(world.segments, [])
    assert.deepStrictEqual(world.unitsAsked(), [])
    assert.match(world.engine.waits(world.now).map(({ cause }) => cause).join(), /of 4|needed/)
  })
})
