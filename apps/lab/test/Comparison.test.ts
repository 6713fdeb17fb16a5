import { assert, describe, it } from "@effect/vitest"
import { FilesetWriter } from "@peerstrap/m3db-files"
import { raiseValues, SeededReplica, seededSpec } from "@peerstrap/m3db-wire/testing"
import { adler32, type Datapoints, encodeBlock, EncodeError } from "@peerstrap/m3tsz"
import { MemoryFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { compareWithSeed, isEqual } from "../src/demo/Comparison.ts"
import { demoFaults } from "../src/demo/DemoPlan.ts"
import { replicaPlans } from "../src/replicas/ReplicaPlan.ts"

const spec = seededSpec({ series: 60, blocks: 2, points: 12, numShards: 2, namespace: "ns" })
const cluster = { replicas: 3, host: "127.0.0.1", basePort: 0, spec, behaviours: demoFaults(2) }
const faulty = replicaPlans(cluster)
const healthy = replicaPlans({ ...cluster, behaviours: [] })

interface Written {
  readonly id: Uint8Array
  readonly tags: Uint8Array
  readonly points: Datapoints
}

/** Writes the true data, each fileset changed by `change`. */
const writeFilesets = Effect.fnUntraced(function*(change: (rows: Array<Written>) => void = () => undefined) {
  const rows = [...new SeededReplica(spec).truth()]
  for (const shard of [0, 1]) {
    for (const blockStart of [spec.start, spec.start + spec.blockSize]) {
      const own = rows.filter((row) => row.shard === shard && row.blockStart === blockStart).map((row): Written => ({
        id: row.id,
        tags: row.encodedTags ?? new Uint8Array(0),
        points: row.points
      }))
      if (shard === 1 && blockStart === spec.start) change(own)
      yield* writeFileset(shard, blockStart, own)
    }
  }
})

const writeFileset = Effect.fnUntraced(function*(shard: number, blockStart: bigint, rows: ReadonlyArray<Written>) {
  const writer = yield* FilesetWriter.open({
    prefix: "/out",
    namespace: "ns",
    shard,
    blockStart,
    blockSize: spec.blockSize
  })
  const data = rows.map(({ points }) => {
    const encoded = encodeBlock(points, blockStart)
    assert.notInstanceOf(encoded, EncodeError)
    return "bytes" in encoded ? encoded.bytes : new Uint8Array(0)
  })
  yield* writer.write({
    count: rows.length,
    ids: rows.map(({ id }) => id),
    tags: rows.map(({ tags }) => tags),
    data: data.map((bytes) => [bytes]),
    checksums: Uint32Array.from(data, (bytes) => adler32(bytes))
  })
  yield* writer.finish
}, Effect.scoped)

const compared = (change?: (rows: Array<Written>) => void, plans = faulty) =>
  Effect.andThen(writeFilesets(change), compareWithSeed(plans, "/out")).pipe(Effect.provide(MemoryFileSystem.layer))

describe("comparison with the seeded data", () => {
  it.effect("finds the true data equal, whether replicas differ or not: two of three hold each value", () =>
    Effect.gen(function*() {
      for (const plans of [faulty, healthy]) {
        const comparison = yield* compared(undefined, plans)
        assert.isTrue(isEqual(comparison))
        assert.equal(comparison.equal, 120)
      }
    }))

  it.effect("finds other points, other tags, series that are missing and series that nobody holds", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [string, (rows: Array<Written>) => void, RegExp]> = [
        ["different", (rows) => void (rows[0] = { ...rows[0]!, points: raiseValues(rows[0]!.points) }), /other points/],
        ["different", (rows) => void (rows[1] = { ...rows[1]!, tags: new Uint8Array(0) }), /other tags/],
        ["missing", (rows) => void rows.pop(), /shard 1 block .*: 1 series are not there/],
        [
          "unexpected",
          (rows) => void rows.push({ ...rows[0]!, id: Uint8Array.of(0x7a) }),
          /series "z" is on no replica/
        ]
      ]
      for (const [kind, change, says] of cases) {
        const comparison = yield* compared(change)
        assert.isFalse(isEqual(comparison), kind)
        const { different, missing, unexpected } = comparison
        assert.deepEqual({ different: 0, missing: 0, unexpected: 0, [kind]: 1 }, { different, missing, unexpected })
        assert.match(comparison.first.join("\n"), says)
      }
    }))

  it.effect("counts all series of a fileset that is not there as missing", () =>
    Effect.gen(function*() {
      const comparison = yield* compareWithSeed(faulty, "/out")
      assert.deepEqual([comparison.expected, comparison.missing, comparison.equal], [120, 120, 0])
    }).pipe(Effect.provide(MemoryFileSystem.layer)))
})
