// Settings that are not the cluster's: what enough peers show is a usage error and held against nobody; one peer alone cannot make one.
import { assert, describe, it } from "@effect/vitest"
import { shardOf } from "@peerstrap/m3db-wire"
import {
  expectedOf,
  firstBlock,
  type Held,
  makeDataset,
  makeReplica,
  replicaOf,
  Simulation,
  writtenOf
} from "./support/SimulatedCluster.ts"

const dataset = (series = 60, blocks = 2, numShards = 2) => makeDataset({ seed: 1, series, blocks, numShards })

const threeReplicas = (held = dataset()) => ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))

const hasAll = (simulation: Simulation, held: Map<number, Array<Held>>) =>
  assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))

describe("settings that are not the cluster's", () => {
  it("a block size that does not fit what most peers list is a usage error", () => {
    const replicas = threeReplicas()
    for (const replica of replicas) {
      replica.tamperPage = (elements) => elements.map((one) => ({ ...one, start: one.start + 1n }))
    }
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play()
    const outcome = simulation.run.outcome as { _tag: string; fault: string; remedy: string }
    assert.strictEqual(outcome.fault, "usage")
    assert.include(outcome.remedy, "--block-size")
  })

  for (const [numShards, hashSeed] of [[48, 0], [96, 0], [50, 0], [64, 3]] as const) {
    it(`${numShards} shards and seed ${hashSeed} for 64 shards and seed 0 are a usage error, and no peer's fault`, () => {
      const replicas = threeReplicas(dataset(2_000, 1, 64))
      replicas[2]!.fault = () => ({ reason: "unreachable" })
      const simulation = new Simulation({ seed: 1, replicas, numShards, blocks: 1, options: { hashSeed } }).play()
      const outcome = simulation.run.outcome as { _tag: string; fault: string; message: string; remedy: string }
      assert.deepInclude(outcome, { _tag: "failed", fault: "usage" })
      assert.match(outcome.message, /do not hash to the shard.*: \d+ of \d+ by A, \d+ of \d+ by B$/)
      assert.include(outcome.remedy, "--num-shards and --hash-seed")
      assert.deepStrictEqual([simulation.run.report().evidence, simulation.run.report().evidenceCounts], [[], {}])
    })
  }

  it("one peer alone cannot make a usage error with series of other shards, however many it lists", () => {
    const held = dataset(100, 1, 2)
    const replicas = threeReplicas(held)
    const foreign = Array.from({ length: 9_000 }, (_, at) => new TextEncoder().encode(`foreign ${at}`))
    replicas[2]!.tamperPage = (elements, { shard }) => [
      ...elements,
      ...foreign.filter((id) => shardOf(id, 0, 2) !== shard).map((id) => ({ id, start: firstBlock, checksum: 3 }))
    ]
    const simulation = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 1 }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    hasAll(simulation, held)
    assert.deepStrictEqual(Object.keys(simulation.run.report().evidenceCounts), ["C"])
  })

  it("a few series of other shards that all peers list do not end a run", () => {
    const held = dataset(100, 1, 2)
    const replicas = threeReplicas(held)
    for (const replica of replicas) {
      replica.tamperPage = (elements, { shard }) => [
        ...elements,
        { id: held.get(1 - shard)![0]!.id, start: firstBlock, checksum: 3 }
      ]
    }
    const simulation = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 1 }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    hasAll(simulation, held)
  })

  for (const reason of ["unknown-namespace", "not-owned", "other-protocol"] as const) {
    it(`${reason} from every peer is a usage error`, () => {
      const replicas = threeReplicas()
      for (const replica of replicas) replica.fault = () => ({ reason, message: `it is ${reason}` })
      const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play()
      const outcome = simulation.run.outcome as { _tag: string; fault: string; message: string }
      assert.strictEqual(outcome._tag, "failed")
      assert.strictEqual(outcome.fault, "usage")
      assert.include(outcome.message, reason)
    })
  }
})
