import { assert, describe, it } from "@effect/vitest"
import { adler32 } from "@peerstrap/m3tsz"
import {
  expectedOf,
  firstBlock,
  type Held,
  makeDataset,
  makeReplica,
  makeStream,
  replicaOf,
  Simulation,
  writtenOf
} from "./support/SimulatedCluster.ts"

const dataset = (series = 60, blocks = 2, numShards = 2) => makeDataset({ seed: 1, series, blocks, numShards })

const threeReplicas = (held = dataset()) => ["A", "B", "C"].map((id) => makeReplica(id, replicaOf(held)))

const hasAll = (simulation: Simulation, held: Map<number, Array<Held>>) =>
  assert.deepStrictEqual(writtenOf(simulation), expectedOf(held))

describe("metadata is listed from all peers of a shard at once (rule 1)", () => {
  it("every peer is asked before the first page has come", () => {
    const simulation = new Simulation({ seed: 1, replicas: threeReplicas(), numShards: 1, blocks: 2 })
    simulation.send({ _tag: "tick" })
    assert.deepStrictEqual(simulation.trace, ["list A", "list B", "list C"])
  })

  it("page by page until no token comes", () => {
    const held = dataset(60, 2, 1)
    const replicas = threeReplicas(held)
    for (const replica of replicas) replica.pageSize = 7
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 2 }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(replicas[0]!.calls.list, Math.ceil(120 / 7))
    hasAll(simulation, held)
  })

  it("a block request leaves before the last metadata page has arrived", () => {
    const held = dataset(200, 1, 1)
    const replicas = threeReplicas(held)
    for (const replica of replicas) replica.pageSize = 10
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play()
    const firstFetch = simulation.trace.findIndex((line) => line.startsWith("fetch"))
    const lastList = simulation.trace.findLastIndex((line) => line.startsWith("list"))
    assert.isAtLeast(firstFetch, 0)
    assert.isBelow(firstFetch, lastList)
    hasAll(simulation, held)
  })
})

describe("groups are submitted when all peers reported or finished (rule 2)", () => {
  it("a series that one peer lacks is fetched after that peer has finished", () => {
    const held = dataset(20, 1, 1)
    const replicas = threeReplicas(held)
    replicas[2]!.held.set(0, replicas[2]!.held.get(0)!.slice(1))
    replicas[2]!.delay = (kind) => (kind === "list" ? 150 : 5)
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 })
    const early: Array<number> = []
    simulation.onAction = (action) => {
      if (action._tag === "fetch") early.push(simulation.now - simulation.started)
    }
    simulation.play()
    assert.isTrue(early.every((at) => at >= 150))
    hasAll(simulation, held)
    assert.strictEqual(simulation.run.report().divergences.counts["absent-on-some"], 1)
  })
})

describe("choosing peers (rule 3)", () => {
  it("where all checksums agree each block is fetched once, from one peer, spread over all", () => {
    const held = dataset(300, 1, 1)
    const replicas = threeReplicas(held)
    const simulation = new Simulation({
      seed: 1,
      replicas,
      numShards: 1,
      blocks: 1,
      queueLimits: { maxBatchItems: 10 }
    }).play()
    const report = simulation.run.report()
    assert.strictEqual(report.peers.reduce((sum, peer) => sum + peer.seriesBlocks, 0), 300)
    for (const peer of report.peers) assert.isAbove(peer.seriesBlocks, 30)
    hasAll(simulation, held)
  })

  it("differing checksums: every copy is fetched and the value that most replicas hold wins", () => {
    const held = dataset(10, 1, 1)
    const replicas = threeReplicas(held)
    const liar = replicas[1]!
    liar.held.set(0, liar.held.get(0)!.map((one, i) => ({ ...one, streams: [makeStream(9000 + i, one.start, 8)] })))
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play()
    const report = simulation.run.report()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(report.peers.reduce((sum, peer) => sum + peer.seriesBlocks, 0), 30)
    assert.strictEqual(report.divergences.counts.different, 10)
    assert.isTrue(report.divergences.entries.every((entry) => Object.keys(entry.checksums).length === 3))
  })

  it("the merged result is the same whatever the order of arrival", () => {
    const results = [1, 2, 3, 4, 5, 6].map((seed) => {
      const held = dataset(10, 1, 1)
      const replicas = threeReplicas(held)
      for (const [index, replica] of replicas.entries()) {
        replica.held.set(
          0,
          replica.held.get(0)!.map((one, i) => ({ ...one, streams: [makeStream(index * 1000 + i, one.start, 8)] }))
        )
        replica.delay = () => 1 + ((seed * 7 + index * 13) % 40)
      }
      const simulation = new Simulation({ seed, replicas, numShards: 1, blocks: 1 }).play()
      assert.strictEqual(simulation.run.outcome?._tag, "complete")
      return writtenOf(simulation)
    })
    for (const result of results) assert.deepStrictEqual(result, results[0])
  })

  it("absent checksums: copies with the same points are stored once, not as a conflict", () => {
    const held = dataset(10, 1, 1)
    const replicas = threeReplicas(held)
    for (const replica of replicas) {
      replica.held.set(
        0,
        replica.held.get(0)!.map((one) => ({ ...one, streams: [one.streams[0]!, one.streams[0]!] }))
      )
    }
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(simulation.run.report().divergences.counts.unknown, 10)
    hasAll(simulation, held)
  })
})

describe("a slow peer", () => {
  it("costs little more than if it were not there: work moves to the fast ones", () => {
    const held = makeDataset({ seed: 1, series: 3000, blocks: 1, numShards: 1, points: 60 })
    const time = (ids: ReadonlyArray<string>) => {
      const replicas = ids.map((id) => makeReplica(id, replicaOf(held)))
      for (const replica of replicas) {
        replica.pageSize = 4096
        replica.millisPerByte = replica.id === "slow" ? 1 / 10 : 1 / 200
      }
      const queueLimits = { initialBatchBytes: 4096, minBatchBytes: 1024 }
      const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1, queueLimits }).play()
      hasAll(simulation, held)
      return simulation.now - simulation.started
    }
    assert.isBelow(time(["A", "B", "slow"]), 1.3 * time(["A", "B"]))
  })
})

describe("levels (rule 5)", () => {
  it("one replica down: majority is met, the run completes and names the peer", () => {
    const held = dataset()
    const replicas = threeReplicas(held)
    replicas[2]!.fault = () => ({ reason: "unreachable", message: "connection refused" })
    const simulation = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 2 }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    hasAll(simulation, held)
    const { unlisted } = simulation.run.report()
    assert.strictEqual(unlisted.total, 2)
    assert.isTrue(unlisted.entries.every((entry) => entry.peer === "C" && entry.reason === "connection refused"))
  })

  it("two replicas down at majority: nothing ends; why names level, peers and remedy", () => {
    const replicas = threeReplicas()
    for (const down of replicas.slice(1)) down.fault = () => ({ reason: "unreachable", message: "connection refused" })
    const simulation = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 2 }).play(60_000)
    assert.isUndefined(simulation.run.outcome)
    const [wait] = simulation.run.waits()
    assert.strictEqual(wait!.level, "majority")
    assert.sameMembers([...wait!.peers], ["B", "C"])
    assert.include(wait!.cause, "connection refused")
    assert.deepStrictEqual(wait!.change, { setting: "level", value: "none" })
  })

  it("a run stuck at majority ends when the operator sets none, with the list of what is missing", () => {
    const held = dataset()
    const replicas = threeReplicas(held)
    for (const down of replicas.slice(1)) down.fault = () => ({ reason: "unreachable" })
    const simulation = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 2 }).play(60_000)
    simulation.send({ _tag: "level", level: "none", origin: "control socket" })
    simulation.play()
    assert.strictEqual(simulation.run.outcome?._tag, "incomplete")
    hasAll(simulation, held)
    const report = simulation.run.report()
    assert.strictEqual(report.missing.total, 4)
    assert.deepStrictEqual(report.missing.entries[0]!.peers, ["B", "C"])
    assert.deepStrictEqual(report.levelChanges.map((change) => [change.level, change.origin]), [[
      "none",
      "control socket"
    ]])
  })

  it("a peer that falls silent is not waited for twice where the level is met without it", () => {
    const held = dataset()
    const replicas = threeReplicas(held)
    replicas[2]!.fault = () => ({ reason: "timeout", afterMillis: 15_000 })
    const simulation = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 2 }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.isBelow(simulation.now - simulation.started, 16_000)
    hasAll(simulation, held)
  })

  it("all is reachable, because the origin is not in the electorate (D8)", () => {
    const held = dataset()
    const simulation = new Simulation({ seed: 1, replicas: threeReplicas(held), numShards: 2, blocks: 2, level: "all" })
      .play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    hasAll(simulation, held)
  })

  it("all waits for a peer that is down and goes on when it is back", () => {
    const held = dataset()
    const replicas = threeReplicas(held)
    const start = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 2, level: "all" })
    replicas[0]!.fault = (_kind, _nth, now) => (now < start.started + 20_000 ? { reason: "unreachable" } : undefined)
    start.play()
    assert.strictEqual(start.run.outcome?._tag, "complete")
    assert.isAtLeast(start.now - start.started, 20_000)
    hasAll(start, held)
  })

  it("none with no peer at all publishes nothing and says so", () => {
    const replicas = threeReplicas()
    for (const down of replicas) down.fault = () => ({ reason: "unreachable" })
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 2, level: "none" }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "incomplete")
    assert.strictEqual(simulation.committed.size, 0)
    assert.strictEqual(simulation.run.report().missing.total, 2)
  })

  it("a (shard, block) that the level confirms empty is published empty (T7)", () => {
    const simulation = new Simulation({
      seed: 1,
      replicas: ["A", "B", "C"].map((id) => makeReplica(id)),
      numShards: 2,
      blocks: 3
    }).play()
    assert.strictEqual(simulation.committed.size, 6)
    assert.strictEqual(simulation.run.report().blocks.empty, 6)
  })
})

const listOnly = (nextToken: (next: number | undefined, asked: number) => number | undefined) => {
  const held = dataset(100, 1, 1)
  const replicas = threeReplicas(held)
  for (const replica of replicas) replica.pageSize = 40
  replicas[1]!.nextToken = nextToken
  return { held, simulation: new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play() }
}

describe("listings that cannot be believed", () => {
  it("a token that repeats once is followed", () => {
    let repeated = false
    const { held, simulation } = listOnly((next, asked) => {
      if (next === undefined || repeated || asked === 0) return next
      repeated = true
      return asked
    })
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(simulation.run.report().unlisted.total, 0)
    hasAll(simulation, held)
  })

  it("a token loop ends with evidence, and the others suffice", () => {
    const { held, simulation } = listOnly((_next, asked) => asked)
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.strictEqual(simulation.run.report().evidenceCounts["B"]!["endless-listing"], 1)
    hasAll(simulation, held)
  })

  it("endless pages of made-up series are cut off, and nothing only they name is waited for", () => {
    const held = dataset(100, 1, 1)
    const replicas = threeReplicas(held)
    let made = 0
    replicas[1]!.nextToken = () => 1
    replicas[1]!.tamperPage =
      () => [{ id: new TextEncoder().encode(`made-up-${made++}`), start: firstBlock, size: 10n, checksum: 7 }]
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.isBelow(made, 400)
    hasAll(simulation, held)
  })

  it("rows of another shard or outside of block bounds are not taken for data", () => {
    const held = dataset(100, 1, 2)
    const replicas = threeReplicas(held)
    replicas[1]!.tamperPage = (elements) => [...elements, ...elements.map((one) => ({ ...one, start: one.start + 1n }))]
    replicas[2]!.tamperPage = (elements) => [...elements, { id: held.get(1)![0]!.id, start: firstBlock, checksum: 3 }]
    const simulation = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 1 }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    hasAll(simulation, held)
    const counts = simulation.run.report().evidenceCounts
    assert.isAbove(counts["B"]!["misaligned-block-start"]!, 0)
    assert.isAbove(counts["C"]!["series-of-another-shard"]!, 0)
  })
})

describe("retries (rule 6)", () => {
  it("pauses between tries grow to a cap and are jittered", () => {
    const replicas = threeReplicas()
    const tries: Array<number> = []
    for (const down of replicas.slice(1)) {
      down.fault = (kind, _nth, now) => {
        if (kind === "list" && down.id === "B") tries.push(now)
        return { reason: "unreachable", afterMillis: 0 }
      }
    }
    new Simulation({ seed: 3, replicas, numShards: 1, blocks: 1 }).play(120_000)
    const pauses = tries.slice(1).map((at, i) => at - tries[i]!)
    assert.isAbove(pauses.length, 8)
    assert.isBelow(pauses[0]!, 500)
    assert.isAtMost(Math.max(...pauses), 30_000)
    assert.isAbove(new Set(pauses.slice(-5)).size, 1)
  })

  it("a deadline ends the run with what it has and the list of what is missing", () => {
    const replicas = threeReplicas()
    for (const down of replicas.slice(1)) down.fault = () => ({ reason: "unreachable" })
    const simulation = new Simulation({ seed: 1, replicas, numShards: 2, blocks: 2 }).play(10_000)
    simulation.send({ _tag: "stop", why: "deadline" })
    assert.strictEqual(simulation.run.outcome?._tag, "deadline")
    assert.strictEqual(simulation.run.report().missing.total, 4)
    assert.strictEqual(simulation.ledger.used, 0)
  })

  it("error policy 000 fails on a metadata error", () => {
    const replicas = threeReplicas()
    replicas[1]!.fault = (kind) => (kind === "list" ? { reason: "internal", message: "boom" } : undefined)
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1, options: { errorPolicy: "000" } })
      .play()
    assert.strictEqual(simulation.run.outcome?._tag, "failed")
    assert.strictEqual(simulation.committed.size, 0)
  })

  it("error policy 000 is best effort on data", () => {
    const held = dataset(20, 1, 1)
    const replicas = threeReplicas(held)
    const lost = held.get(0)![3]!.id
    for (const replica of replicas) {
      replica.tamper = (elements) => elements.filter((element) => Buffer.compare(element.id, lost) !== 0)
    }
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1, options: { errorPolicy: "000" } })
      .play()
    assert.strictEqual(simulation.run.outcome?._tag, "incomplete")
    assert.deepStrictEqual(simulation.run.report().missing.entries.map((entry) => entry.id), [
      Buffer.from(lost).toString("hex")
    ])
    assert.strictEqual(simulation.run.report().seriesBlocks.stored, 19)
  })
})

describe("verification (rule 7)", () => {
  it("data that is not what was advertised is not stored while another replica keeps its word", () => {
    const held = dataset(30, 1, 1)
    const replicas = threeReplicas(held)
    replicas[0]!.tamper = (elements) =>
      elements.map((element, i) => {
        const stream = makeStream(7777 + i, firstBlock, 8)
        return {
          ...element,
          blocks: [{ start: firstBlock, merged: { head: stream, tail: new Uint8Array(0) }, checksum: adler32(stream) }]
        }
      })
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    hasAll(simulation, held)
    assert.isAbove(simulation.run.report().evidenceCounts["A"]!["delivered-differs-from-advertised"]!, 0)
    assert.isUndefined(simulation.run.report().evidenceCounts["B"])
  })

  it("bytes that do not have the answer's own checksum are refused and fetched elsewhere", () => {
    const held = dataset(30, 1, 1)
    const replicas = threeReplicas(held)
    replicas[0]!.tamper = (elements) =>
      elements.map((element) => ({
        ...element,
        blocks: element.blocks.map((block) => ({ ...block, checksum: ((block.checksum ?? 0) ^ 1) >>> 0 }))
      }))
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1 }).play()
    hasAll(simulation, held)
    assert.isAbove(simulation.run.report().evidenceCounts["A"]!["corrupt-block"]!, 0)
  })
})

describe("the ledger (rule 9)", () => {
  it("is never exceeded and is empty at the end", () => {
    const held = dataset(400, 2, 4)
    const simulation = new Simulation({
      seed: 1,
      replicas: threeReplicas(held),
      numShards: 4,
      blocks: 2,
      memoryBytes: 2 << 20
    }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "complete")
    assert.isAtMost(simulation.ledger.peak, 2 << 20)
    assert.strictEqual(simulation.ledger.used, 0)
    hasAll(simulation, held)
  })

  it("too small for one shard's metadata: fails with the arithmetic and the option", () => {
    const held = dataset(3000, 2, 1)
    const simulation = new Simulation({
      seed: 1,
      replicas: threeReplicas(held),
      numShards: 1,
      blocks: 2,
      memoryBytes: 300_000
    }).play()
    assert.strictEqual(simulation.run.outcome?._tag, "failed")
    const outcome = simulation.run.outcome as { message: string; remedy: string; fault: string }
    assert.strictEqual(outcome.fault, "self")
    assert.include(outcome.remedy, "--memory")
    assert.strictEqual(simulation.ledger.used, 0)
  })

  it("Protobuf namespaces: bytes are copied, a merge is refused and said", () => {
    const held = dataset(10, 1, 1)
    const replicas = threeReplicas(held)
    const changed = replicas[2]!.held.get(0)!
    changed[4] = { ...changed[4]!, streams: [new Uint8Array([1, 2, 3])] }
    const simulation = new Simulation({ seed: 1, replicas, numShards: 1, blocks: 1, options: { encoding: "protobuf" } })
      .play()
    assert.strictEqual(simulation.run.outcome?._tag, "incomplete")
    const report = simulation.run.report()
    assert.strictEqual(report.seriesBlocks.stored, 9)
    assert.include(report.missing.entries[0]!.reason, "Protobuf")
  })
})

describe("local faults", () => {
  it("a full disk ends the run with the sink's own words and blames no peer", () => {
    const simulation = new Simulation({ seed: 1, replicas: threeReplicas(), numShards: 2, blocks: 2 })
    simulation.failWrites = "no space left on device"
    simulation.play()
    const outcome = simulation.run.outcome as { _tag: string; message: string; fault: string }
    assert.strictEqual(outcome._tag, "failed")
    assert.strictEqual(outcome.fault, "self")
    assert.include(outcome.message, "no space left")
    assert.deepStrictEqual(simulation.run.report().evidenceCounts, {})
    assert.strictEqual(simulation.ledger.used, 0)
  })

  it("a stop publishes what is whole and drops the rest", () => {
    const held = dataset(200, 2, 8)
    const replicas = threeReplicas(held)
    const simulation = new Simulation({ seed: 1, replicas, numShards: 8, blocks: 2, limits: { jobsInFlight: 1 } }).play(
      60
    )
    simulation.send({ _tag: "stop", why: "stopped" })
    simulation.play()
    assert.strictEqual(simulation.run.outcome?._tag, "stopped")
    assert.isAbove(simulation.committed.size, 0)
    assert.isBelow(simulation.committed.size, 16)
    for (const name of simulation.written.keys()) {
      assert.isTrue(simulation.committed.has(name), `${name} was left half written`)
    }
    assert.strictEqual(simulation.ledger.used, 0)
  })
})
