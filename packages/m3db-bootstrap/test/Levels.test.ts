/** The six levels × what may be wrong with one of three peers. (specs: peer streaming 3.13, 12) */
import { assert, describe, it } from "@effect/vitest"
import { type Level, levels } from "@peerstrap/consistency-policy"
import {
  expectedOf,
  makeDataset,
  makeReplica,
  makeStream,
  type Replica,
  replicaOf,
  Simulation,
  writtenOf
} from "./support/SimulatedCluster.ts"

const held = makeDataset({ seed: 3, series: 12, blocks: 2, numShards: 1 })

const situations = {
  "all up": () => {},
  "one down": (replicas: ReadonlyArray<Replica>) => {
    replicas[2]!.fault = () => ({ reason: "unreachable", message: "connection refused" })
  },
  "one flapping": (replicas: ReadonlyArray<Replica>) => {
    replicas[2]!.fault = (_kind, _nth, now) => (Math.floor(now / 700) % 2 === 0 ? { reason: "closed" } : undefined)
  },
  "one lying": (replicas: ReadonlyArray<Replica>) => {
    replicas[2]!.tamper = (elements) =>
      elements.map(({ blocks, id }, index) => ({
        id,
        blocks: blocks.map(({ start }) => ({
          start,
          merged: { head: makeStream(900 + index, start, 8), tail: new Uint8Array(0) }
        }))
      }))
  },
  "two down": (replicas: ReadonlyArray<Replica>) => {
    for (const replica of replicas.slice(1)) {
      replica.fault = () => ({ reason: "unreachable", message: "connection refused" })
    }
  },
  "all not bootstrapped": (replicas: ReadonlyArray<Replica>) => {
    for (const replica of replicas) {
      replica.fault = () => ({ reason: "not-bootstrapped", message: "not yet bootstrapped" })
    }
  }
} as const

type Situation = keyof typeof situations

/** `complete`, `incomplete`, or `waits` and the peers that are named. */
const table: Readonly<Record<Level, Readonly<Record<Situation, string>>>> = {
  none: {
    "all up": "complete",
    "one down": "complete",
    "one flapping": "complete",
    "one lying": "complete",
    "two down": "incomplete",
    "all not bootstrapped": "incomplete"
  },
  one: {
    "all up": "complete",
    "one down": "complete",
    "one flapping": "complete",
    "one lying": "complete",
    "two down": "complete",
    "all not bootstrapped": "waits A B C"
  },
  unstrict_majority: {
    "all up": "complete",
    "one down": "complete",
    "one flapping": "complete",
    "one lying": "complete",
    "two down": "complete",
    "all not bootstrapped": "waits A B C"
  },
  majority: {
    "all up": "complete",
    "one down": "complete",
    "one flapping": "complete",
    "one lying": "complete",
    "two down": "waits B C",
    "all not bootstrapped": "waits A B C"
  },
  unstrict_all: {
    "all up": "complete",
    "one down": "complete",
    "one flapping": "complete",
    "one lying": "complete",
    "two down": "complete",
    "all not bootstrapped": "waits A B C"
  },
  all: {
    "all up": "complete",
    "one down": "waits C",
    "one flapping": "complete",
    "one lying": "complete",
    "two down": "waits B C",
    "all not bootstrapped": "waits A B C"
  }
}

const play = (level: Level, situation: Situation): Simulation => {
  const replicas = ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))
  situations[situation](replicas)
  return new Simulation({ seed: 1, replicas, numShards: 1, blocks: 2, level }).play(120_000)
}

describe("levels", () => {
  for (const level of levels) {
    for (const situation of Object.keys(situations) as ReadonlyArray<Situation>) {
      it(`${level}, ${situation}: ${table[level][situation]}`, () => {
        const simulation = play(level, situation)
        const { outcome } = simulation.run
        const [wait] = simulation.run.waits()
        const got = outcome?._tag ?? `waits ${wait?.peers.join(" ")}`
        assert.strictEqual(got, table[level][situation])
        if (outcome === undefined) {
          assert.strictEqual(wait!.level, level)
          assert.strictEqual(simulation.committed.size, 0)
          return
        }
        if (situation === "one lying" && level === "all") {
          // All copies are asked for, and one is a lie: the two that kept their word are fewer than all. Every value is some copy's.
          assert.strictEqual(simulation.run.report().seriesBlocks.stored, 24)
        } else if (situation !== "all not bootstrapped") assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))
        assert.strictEqual(simulation.ledger.used, 0)
      })
    }
  }

  it("none names what fewer peers confirmed than a majority", () => {
    const { missing } = play("none", "two down").run.report()
    assert.strictEqual(missing.total, 2)
    assert.include(missing.entries[0]!.reason, "listed by 1 of 3 peers")
    assert.deepStrictEqual(missing.entries[0]!.peers, ["B", "C"])
  })
})
