// The kit of node servers: ours passes, every mutant is rejected.
import { assert, describe, it } from "@effect/vitest"
import { Memory } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import {
  checkNodeServer,
  type NodeFacts,
  nodeServerChecks,
  nodeServerMutants,
  SeededReplica,
  seededSpec,
  startReplica
} from "../src/testing/index.ts"

const spec = seededSpec({
  series: 60,
  numShards: 4,
  shards: [0, 1, 2],
  blocks: 3,
  active: 1,
  points: 40,
  tags: -1,
  annotate: 9,
  odd: 7,
  hashSeed: 42
})

const facts = (data: SeededReplica, address: NodeFacts["address"]): NodeFacts => ({
  address,
  namespace: spec.namespace,
  numShards: spec.numShards,
  hashSeed: spec.hashSeed,
  shard: 1,
  otherShard: 2,
  unownedShard: 3,
  rangeStart: spec.start,
  rangeEnd: data.end,
  blockSize: spec.blockSize
})

/** Far above what a check needs: the machine may be busy. Only a failing check waits for it. */
const testTimeoutMillis = 60_000

const options = { hostile: true, timeoutMillis: 30_000 }

describe("checkNodeServer", () => {
  it("has checks with names of their own", () => {
    assert.isAtLeast(nodeServerChecks.length, 20)
    assert.strictEqual(new Set(nodeServerChecks.map(({ name }) => name)).size, nodeServerChecks.length)
  })

  for (const [name, behaviours] of [["healthy", ""], ["in small frames", "frame-size:90"]] as const) {
    it.live(`finds nothing in our server, ${name}`, () =>
      Effect.gen(function*() {
        const data = new SeededReplica(spec, { unmerged: { every: 3, remainder: 0 } })
        const replica = yield* startReplica({ data, behaviours })
        const findings = yield* checkNodeServer(facts(data, replica.address), options)
        assert.deepStrictEqual(findings, [])
      }).pipe(Effect.scoped, Effect.provide(Memory.layer)), testTimeoutMillis)
  }

  it("has a mutant for every check", () => {
    const unproved = nodeServerChecks.filter(({ name }) =>
      !nodeServerMutants.some(({ caughtBy }) => name.startsWith(caughtBy))
    )
    assert.deepStrictEqual(unproved.map(({ name }) => name), [])
  })

  for (const mutant of nodeServerMutants) {
    it.live(`rejects: ${mutant.name}`, () =>
      Effect.gen(function*() {
        const data = new SeededReplica(spec)
        const address = yield* mutant.start(data)
        const timeoutMillis = mutant.silent ? 200 : 30_000
        const findings = yield* checkNodeServer(facts(data, address), {
          hostile: true,
          only: mutant.caughtBy,
          timeoutMillis
        })
        assert.isNotEmpty(findings)
        assert.strictEqual(findings[0]!.timedOut, mutant.silent, findings[0]!.message)
      }).pipe(Effect.scoped, Effect.provide(Memory.layer)), testTimeoutMillis)
  }
})
