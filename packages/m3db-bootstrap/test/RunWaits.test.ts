/** `why`: each wait names what, whom, since when, and what would end it. */
import { assert, describe, it } from "@effect/vitest"
import type { Wait } from "@peerstrap/progress"
import { makeDataset, makeReplica, replicaOf, Simulation, type SimulationSpec } from "./support/SimulatedCluster.ts"

const held = makeDataset({ seed: 4, series: 10, blocks: 1, numShards: 1 })

const cluster = (given: Partial<SimulationSpec> = {}, ids = ["A", "B", "C"]) => {
  const replicas = ids.map((id) => makeReplica(id, replicaOf(held)))
  return { replicas, start: () => new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1, ...given }) }
}

describe("a run waits for", () => {
  it("metadata that is on its way: nothing is to be done", () => {
    const simulation = cluster().start()
    simulation.send({ _tag: "tick" })
    const [wait] = simulation.run.waits()
    assert.strictEqual(wait!.waitingFor, "metadata from A (page 1), B (page 1), C (page 1)")
    assert.strictEqual(wait!.cause, "0 of 3 peers listed, level majority needs 2")
    assert.include(wait!.remedy, "nothing")
  })

  it("metadata that does not come: the peers, their tries, the next one, and the level that would do without", () => {
    const { replicas, start } = cluster()
    for (const replica of replicas.slice(1)) {
      replica.fault = () => ({ reason: "unreachable", message: "connection refused" })
    }
    const [wait] = start().play(30_000).run.waits()
    assert.strictEqual(wait!.subject, "shard 0")
    assert.strictEqual(wait!.waitingFor, "metadata from B, C: 1 of 3 peers listed, level majority needs 2")
    assert.match(wait!.cause, /^B: connection refused \(\d+ tries, next in \d+\.\d s\); C: connection refused/)
    assert.include(wait!.remedy, "bring back B or C, or lower the level")
    assert.deepStrictEqual(wait!.peers, ["B", "C"])
  })

  it("peers that a level which is met can do without: says so, and offers nothing", () => {
    const { replicas, start } = cluster()
    replicas[2]!.delay = (kind) => kind === "list" ? 300 : 5
    const simulation = start()
    const met: Array<Wait> = []
    simulation.onStepped = () => {
      const { listing } = simulation.run.active.get(0) ?? {}
      if (listing?.isMet === true && !listing.isOver) met.push(simulation.run.waits()[0]!)
    }
    simulation.play()
    assert.isNotEmpty(met)
    for (const { cause, change, waitingFor } of met) {
      assert.strictEqual(waitingFor, "metadata from C (page 1)")
      assert.strictEqual(cause, "level majority is met (2 of 3 peers listed); C still answers")
      assert.isUndefined(change)
    }
  })

  it("a peer at level all: the level that the others meet is offered, never the one that the run has", () => {
    for (const [level, offered] of [["all", "majority"], ["majority", "none"], ["none", undefined]] as const) {
      const { replicas, start } = cluster({ level })
      for (const replica of replicas.slice(level === "all" ? 2 : 1)) {
        replica.fault = () => ({ reason: "unreachable", message: "connection refused" })
      }
      const waits = start().play(30_000).run.waits().filter(({ subject }) => subject === "shard 0")
      const values = new Set(waits.map(({ change }) => change?.value))
      assert.deepStrictEqual([...values], level === "none" ? [] : [offered], level)
    }
  })

  it("more peers than there are, when all have listed and the level asks for more", () => {
    const simulation = cluster({ replicationFactor: 5, level: "majority" }, ["A", "B"]).start().play(5_000)
    assert.isUndefined(simulation.run.outcome)
    const [wait] = simulation.run.waits()
    assert.strictEqual(wait!.cause, "2 of 2 peers listed, level majority needs 3")
    assert.strictEqual(wait!.remedy, "give more peers, or lower the level to one")
    assert.deepStrictEqual(wait!.change, { setting: "level", value: "one" })
    simulation.send({ _tag: "level", level: "one", origin: "test" })
    assert.strictEqual(simulation.play().run.outcome?._tag, "incomplete")
    assert.strictEqual(simulation.run.report().missing.total, 1)
  })

  it("series-blocks that nobody delivers: how many, the first, who advertised them", () => {
    const { replicas, start } = cluster()
    const lost = held.get(0)![3]!.id
    for (const replica of replicas) {
      replica.tamper = (elements) => elements.filter(({ id }) => Buffer.compare(id, lost) !== 0)
    }
    const simulation = start().play(10_000)
    const wait = simulation.run.waits().find(({ waitingFor }) => waitingFor.includes("does not let go"))
    assert.include(wait!.waitingFor, `1 series-blocks that level majority does not let go, the first is shard 0 block`)
    assert.include(wait!.waitingFor, Buffer.from(lost).toString("hex"))
    assert.match(wait!.cause, /A, B, C advertised them, every try failed; next try in/)
    assert.strictEqual(wait!.remedy, "look after A and B and C, or take what there is with level none")
    assert.deepStrictEqual(wait!.change, { setting: "level", value: "none" })
  })

  it("the only peer that advertised something, when it went away after its listing", () => {
    const { replicas, start } = cluster()
    for (const replica of replicas.slice(0, 2)) replica.held.set(0, replica.held.get(0)!.slice(1))
    replicas[2]!.fault = (
      kind
    ) => (kind === "fetch" ? { reason: "unreachable", message: "connection refused" } : undefined)
    const simulation = start().play(60_000)
    const wait = simulation.run.waits().find(({ waitingFor }) => waitingFor.includes("only"))
    assert.strictEqual(wait!.waitingFor, "1 series-blocks that only C advertised")
    assert.deepStrictEqual(wait!.peers, ["C"])
    simulation.send({ _tag: "level", level: "none", origin: "test" })
    assert.strictEqual(simulation.play().run.outcome?._tag, "incomplete")
  })

  it("the sink, when it takes nothing for a while", () => {
    const simulation = cluster({ sinkDelay: 5_000 }).start().play(2_000)
    simulation.send({ _tag: "tick" })
    const wait = simulation.run.waits().find(({ waitingFor }) => waitingFor.includes("the sink"))
    assert.match(wait!.waitingFor, /the sink: \d writes, 0 blocks to publish/)
    assert.match(wait!.cause, /nothing was written for 2\.0 s|nothing was written for 1\.9 s/)
    assert.deepStrictEqual(wait!.peers, [])
  })
})
