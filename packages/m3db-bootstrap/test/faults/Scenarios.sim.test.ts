/** Rows of the comparison with M3's own client that are not one behaviour of one replica: majorities lost, disagreement, a peer that bootstraps. */
import { assert, describe, it } from "@effect/vitest"
import { Random, seedsFor } from "@peerstrap/simulator"
import { writtenOf } from "../support/SimulatedCluster.ts"
import { faultRows } from "./Behaviours.ts"
import type { FaultRow } from "./FaultRow.ts"
import { blameOf, fullSize, makeTruth, type Played, playFaults, smallSize, type Truth, wrongData } from "./FaultRun.ts"

const seeds = seedsFor("fault-scenarios", 1)
const truths = seeds.map((seed) => makeTruth(seed, smallSize))

const row = (name: string): FaultRow => {
  const found = faultRows.find((one) => one.name === name)
  if (found === undefined) throw new RangeError(`no row ${name}`)
  return found
}

const twoDown = (truth: Truth, before?: (played: Played) => void): Played =>
  playFaults(truth, [row("down")], {
    others: [[row("down")]],
    maxMillis: 60_000,
    ...(before === undefined ? {} : { before })
  })

const peersOf = (waits: ReadonlyArray<{ readonly peers: ReadonlyArray<string> }>) => waits.flatMap((wait) => wait.peers)

describe("two of three down, level majority", { timeout: 60_000 }, () => {
  it("waits, and says which peers and which level", () => {
    for (const truth of truths) {
      const { faulty, honest, simulation } = twoDown(truth)
      assert.isUndefined(simulation.run.outcome)
      const waits = simulation.run.waits().filter(({ subject }) => subject.startsWith("shard"))
      assert.isAbove(waits.length, 0)
      for (const { cause, change, level, peers } of waits) {
        assert.deepStrictEqual(peers.toSorted(), [faulty, honest[0]!].toSorted())
        assert.strictEqual(level, "majority")
        assert.include(cause, "refused")
        assert.deepStrictEqual(change, { setting: "level", value: "none" })
      }
      // Retried for ever, but not often: a dial every few seconds once both are known to be down.
      const dials = simulation.replicas.filter(({ id }) => peersOf(waits).includes(id)).map(({ calls }) => calls.list)
      for (const calls of dials) assert.isBelow(calls, 200)
    }
  })

  it("ends at its deadline", () => {
    for (const truth of truths) {
      const { simulation } = twoDown(
        truth,
        (played) => played.simulation.after(20_000, () => played.simulation.send({ _tag: "stop", why: "deadline" }))
      )
      assert.strictEqual(simulation.run.outcome?._tag, "deadline")
      const { missing } = simulation.run.report()
      assert.strictEqual(missing.total, truth.size.shards * truth.size.blocks)
    }
  })

  for (const level of ["one", "unstrict_majority", "none"] as const) {
    it(`takes what the one that is left holds when the level becomes ${level}, and says that it is not what was asked`, () => {
      for (const truth of truths) {
        const played = twoDown(
          truth,
          ({ simulation }) =>
            simulation.after(10_000, () => simulation.send({ _tag: "level", level, origin: "operator" }))
        )
        assert.strictEqual(played.simulation.run.outcome?._tag, "incomplete")
        assert.deepStrictEqual(wrongData(truth, played), [])
        const { missing } = played.simulation.run.report()
        assert.strictEqual(missing.total, truth.size.shards * truth.size.blocks)
        for (const { peers } of missing.entries) {
          assert.deepStrictEqual(peers.toSorted(), [played.faulty, played.honest[0]!].toSorted())
        }
        assert.isBelow(played.tookMillis, 10_000 + 3 * truth.healthyMillis(level) + 2_000)
      }
    })
  }
})

describe("replicas disagree", { timeout: 60_000 }, () => {
  const disagreeing = { others: [[row("lack-points=2/1")], [row("other-values=3"), row("lack-series=3")]] } as const

  // At majority a replica that is far too slow is given up, by name; until then the order of arrival decides nothing.
  const slow = {
    all: ["delay:20", "slow:2000", "frame-size:80", "rate-limit:5"],
    majority: ["delay:20", "frame-size:80"]
  }

  for (const level of ["all", "majority"] as const) {
    it(`the result is the same whatever the order of arrival, level ${level}`, () => {
      for (const truth of truths) {
        const results = Array.from({ length: 8 }, (_, turn) => {
          const own = [row(Random.make(truth.seed).fork(`turn ${turn}`).pick(slow[level]))]
          // The same cast by the same seed; what differs is who answers when.
          const [first, second] = disagreeing.others
          const { simulation } = playFaults(truth, turn % 3 === 1 ? own : [], {
            others: [[...first, ...(turn % 3 === 2 ? own : [])], second],
            level
          })
          assert.strictEqual(simulation.run.outcome?._tag, "complete")
          return writtenOf(simulation)
        })
        for (const result of results) assert.deepStrictEqual(result, results[0])
      }
    })
  }

  it("each divergence is reported by series and block, and nobody is blamed for it", () => {
    for (const truth of truths) {
      const played = playFaults(truth, [], disagreeing)
      const { divergences } = played.simulation.run.report()
      const seriesBlocks = [...truth.expected.values()].reduce((sum, block) => sum + block.size, 0)
      // One of three lacks points of every block.
      assert.strictEqual(divergences.total, seriesBlocks)
      const named = new Set(divergences.entries.map(({ blockStart, id, shard }) => `${shard}/${blockStart} ${id}`))
      assert.strictEqual(named.size, seriesBlocks)
      for (const { checksums } of divergences.entries) {
        assert.deepStrictEqual(Object.keys(checksums).toSorted(), ["A", "B", "C"])
      }
      for (const peer of ["A", "B", "C"]) assert.deepStrictEqual(blameOf(played, peer), [])
    }
  })
})

describe("a bootstrapping peer", { timeout: 60_000 }, () => {
  it("is polled slowly and named in why", () => {
    for (const truth of truths) {
      const { faulty, simulation } = playFaults(truth, [row("not-bootstrapped")], { level: "all", maxMillis: 60_000 })
      assert.isUndefined(simulation.run.outcome)
      const waits = simulation.run.waits().filter(({ peers }) => peers.includes(faulty))
      assert.isAbove(waits.length, 0)
      assert.isTrue(waits.some(({ cause }) => cause.includes("not yet bootstrapped")), JSON.stringify(waits))
      const { calls } = simulation.replicas.find(({ id }) => id === faulty)!
      // At most one question a second and shard in a minute; Go's client asks 64 times as often.
      assert.isBelow(calls.list, 60 * truth.size.shards)
      assert.deepStrictEqual(blameOf({ faulty, honest: [], simulation, tookMillis: 0 }, faulty), [])
    }
  })

  it("is taken along when it is ready", () => {
    for (const truth of truths) {
      const played = playFaults(truth, [row("not-bootstrapped:1")], { level: "all" })
      assert.strictEqual(played.simulation.run.outcome?._tag, "complete")
      assert.isBelow(played.tookMillis, 1_000 + 2_000 + 2 * truth.healthyMillis("all"))
    }
  })
})

describe("a damaged data file, digests intact", { timeout: 60_000 }, () => {
  it("is named with series, block and checksum, and nothing is lost", () => {
    for (const seed of seeds) {
      const truth = makeTruth(seed, fullSize)
      const played = playFaults(truth, [row("damage=4")])
      assert.deepStrictEqual(wrongData(truth, played), [])
      const { evidence } = played.simulation.run.report()
      const named = evidence.filter(({ kind, peer }) => kind === "advertised-not-delivered" && peer === played.faulty)
      assert.isAbove(named.length, 0)
      for (const { detail, subject } of named) {
        assert.match(subject, /^shard \d+ block \d+ id [0-9a-f]+$/)
        assert.match(detail, /^advertised \d+ bytes with checksum 0x[0-9a-f]{8}, delivered nothing$/)
      }
    }
  })
})
