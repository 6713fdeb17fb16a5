import { assert, describe, it } from "@effect/vitest"
import { isTopologyError, Limits, readNamespaces, readPlacement, type TopologyError } from "@peerstrap/m3db-topology"
import * as fc from "fast-check"
import { bytesOf } from "./builders.ts"

const right = <A>(value: A | TopologyError): A => {
  if (isTopologyError(value)) throw value
  return value
}
const wrong = (value: unknown): TopologyError => {
  if (!isTopologyError(value)) throw new Error(`expected an error, got ${JSON.stringify(value)}`)
  return value
}
const json = (value: unknown) => readPlacement(bytesOf(JSON.stringify(value)))
const concat = (...parts: ReadonlyArray<ReadonlyArray<number>>): Uint8Array => Uint8Array.from(parts.flat())
const field = (number: number, content: ReadonlyArray<number>): ReadonlyArray<number> => {
  const length: Array<number> = []
  for (let left = content.length;; left >>>= 7) {
    if (left < 128) {
      length.push(left)
      break
    }
    length.push((left & 127) | 128)
  }
  return [number << 3 | 2, ...length, ...content]
}
const text = (value: string): ReadonlyArray<number> => [...bytesOf(value)]

const coordinator = {
  placement: {
    instances: {
      a: {
        id: "a",
        isolationGroup: "r1",
        zone: "z",
        weight: 100,
        endpoint: "10.0.0.1:9000",
        shards: [
          { id: 1, state: "AVAILABLE", sourceId: "", cutoverNanos: "0", cutoffNanos: "9007199254740993" },
          { id: 0, sourceId: "b", cutoverNanos: 12 },
          { id: 2, state: 2 }
        ],
        shardSetId: 4,
        hostname: "host",
        port: 9000,
        metadata: { debugPort: 1 }
      }
    },
    replicaFactor: 1,
    numShards: 3,
    isSharded: true,
    cutoverTime: "0",
    maxShardSetId: 4
  },
  version: 12
}

describe("placement as JSON", () => {
  it("reads what the coordinator answers: names, numbers as text, missing states", () => {
    const read = right(json(coordinator))
    assert.strictEqual(read.version, 12)
    assert.deepInclude(read.instances[0]!, { id: "a", isolationGroup: "r1", weight: 100, shardSetId: 4 })
    assert.deepStrictEqual(read.instances[0]?.shards, [
      { shard: 0, state: "initializing", source: "b", cutoverNanos: 12n, cutoffNanos: 0n },
      { shard: 1, state: "available", source: undefined, cutoverNanos: 0n, cutoffNanos: 9_007_199_254_740_993n },
      { shard: 2, state: "leaving", source: undefined, cutoverNanos: 0n, cutoffNanos: 0n }
    ])
  })

  it("reads snake_case, with a mark, spaces and unknown fields around", () => {
    const snake = JSON.stringify(coordinator)
      .replaceAll(/"(\w+)":/g, (_, name: string) => `"${name.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)}":`)
      .replace("{", "{\"unknown\": [1, {\"a\": null}],")
    assert.include(snake, "\"source_id\"")
    assert.deepStrictEqual(right(readPlacement(bytesOf(`\uFEFF\n ${snake}\n`))), right(json(coordinator)))
  })

  it("says which shard of which instance is wrong, all at once", () => {
    const error = wrong(json({
      instances: {
        a: { shards: [{ id: 0 }, { id: "x" }] },
        b: { weight: -1 },
        c: 3,
        d: { shards: [{ state: "GONE" }] }
      },
      numShards: "many"
    }))
    assert.strictEqual(error.reason, "malformed")
    assert.deepStrictEqual(error.problems.map((each) => each.split(":")[0]), [
      "cannot decode field placementpb.Placement.num_shards from JSON",
      "instances[\"a\"].shards[1]",
      "instances[\"b\"]",
      "instances[\"c\"] is not an object",
      "instances[\"d\"].shards[0]"
    ])
  })

  it("says what to do with something else", () => {
    assert.include(wrong(json({ error: "not found" })).message, "no object \"instances\"")
    assert.include(wrong(json({})).message, "GET /api/v1/services/m3db/placement")
    assert.include(wrong(readPlacement(bytesOf("{\"instances\": {"))).message, "begins like JSON at byte 0")
    assert.include(wrong(readPlacement(bytesOf("\n  {\"instances\": oops}"))).message, "begins like JSON at byte 3")
    assert.include(wrong(readPlacement(new Uint8Array(0))).message, "is empty")
    assert.include(wrong(readPlacement(bytesOf("_sd.placement/default_env/m3db\n"))).message, "--print-value-only")
  })

  it("keeps its limits", () => {
    assert.strictEqual(wrong(readPlacement(new Uint8Array(Limits.documentBytes + 1))).reason, "too-large")
    const instances = Object.fromEntries(Array.from({ length: Limits.instances + 1 }, (_, i) => [`i${i}`, {}]))
    assert.strictEqual(wrong(json({ instances })).reason, "too-large")
    const shards = Array.from({ length: Limits.shardEntries + 1 }, () => 0)
    assert.strictEqual(wrong(json({ instances: { a: { shards } } })).reason, "too-large")
  })

  it("takes a host named __proto__ for a host", () => {
    const read = right(readPlacement(bytesOf("{\"instances\": {\"__proto__\": {\"endpoint\": \"x:1\"}}}")))
    assert.deepStrictEqual(read.instances.map((each) => each.id), ["__proto__"])
  })
})

describe("placement as protobuf", () => {
  it("a line feed and a brace may begin a protobuf, too", () => {
    const key = field(1, text("k".repeat(32)))
    const entry = [...key, ...field(2, field(5, text("x".repeat(123 - key.length - 4))))]
    assert.strictEqual(entry.length, 123)
    const bytes = concat([0x0a, 0x7b], entry)
    assert.strictEqual(right(readPlacement(bytes)).instances[0]?.id, "k".repeat(32))
  })

  it("names the byte where it goes wrong", () => {
    const shard = field(6, [0x08])
    const inside = concat(field(1, [...field(1, text("a")), ...field(2, shard)]))
    assert.include(wrong(readPlacement(inside)).message, "byte 10: shard id is cut off")
    assert.include(
      wrong(readPlacement(concat([0x0a, 0x05, 0x0a]))).message,
      "byte 1: instance entry claims 5 bytes, 1 are left"
    )
    assert.include(wrong(readPlacement(concat([0x12, 0x00]))).message, "byte 0: replica_factor has wire type 2")
    assert.include(
      wrong(readPlacement(concat([0x10], Array.from({ length: 11 }, () => 0xff)))).message,
      "longer than 10 bytes"
    )
    assert.include(wrong(readPlacement(concat([0x53]))).message, "which proto3 does not use")
    assert.include(
      wrong(readPlacement(concat(field(1, field(1, [0xff]))))).message,
      "byte 4: instance key is not UTF-8"
    )
  })

  it("skips fields that it does not know and marks states that it does not know", () => {
    const instance = field(6, [0x10, 0x09])
    const bytes = concat([0x78, 0x01], [0x7d, 1, 2, 3, 4], field(1, [...field(1, text("a")), ...field(2, instance)]))
    assert.strictEqual(right(readPlacement(bytes)).instances[0]?.shards[0]?.state, "unknown")
  })

  it("refuses many small entries before it makes objects of them", () => {
    const shards = new Uint8Array(2 * (Limits.shardEntries + 1))
    for (let i = 0; i < shards.length; i += 2) shards[i] = 0x32
    const many = concat(field(1, field(2, [...shards])))
    const error = wrong(readPlacement(many))
    assert.strictEqual(error.reason, "too-large")
    assert.include(error.message, `more than ${Limits.shardEntries} shard entries`)
    const instances = concat(Array.from({ length: 2 * (Limits.instances + 1) }, (_, i) => (i % 2 === 0 ? 0x0a : 0)))
    assert.include(wrong(readPlacement(instances)).message, "more than 4096 instances")
  })

  it("never throws: any bytes, and any damage of right ones, give a value or an error", () => {
    const good = concat(
      field(1, [
        ...field(1, text("a")),
        ...field(2, [...field(1, text("a")), ...field(5, text("a:1")), ...field(6, [8, 1, 16, 1])])
      ]),
      [16, 1, 24, 2, 32, 1]
    )
    const goodJson = bytesOf(JSON.stringify(coordinator))
    const damaged = (base: Uint8Array) =>
      fc.record({
        cut: fc.nat(base.length),
        edits: fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 6 }),
        tail: fc.uint8Array({ maxLength: 8 })
      }).map(({ cut, edits, tail }) => {
        const bytes = Uint8Array.from(base)
        for (const [at, value] of edits) bytes[at] = value
        return concat([...bytes.subarray(0, cut)], [...tail])
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged(good), damaged(goodJson)), (bytes) => {
        for (const result of [readPlacement(bytes), readNamespaces(bytes)]) {
          if (isTopologyError(result)) assert.isAbove(result.message.length, 10)
        }
      }),
      { seed: 4201, numRuns: 5000 }
    )
  })
})

describe("namespaces", () => {
  it("tells which namespace is wrong", () => {
    const error = wrong(
      readNamespaces(bytesOf(JSON.stringify({ registry: { namespaces: { a: {}, b: { flushEnabled: 3 } } } })))
    )
    assert.include(error.message, "namespaces[\"b\"]")
    assert.lengthOf(error.problems, 1)
    assert.include(wrong(readNamespaces(bytesOf("{}"))).message, "m3db.node.namespaces")
    assert.include(wrong(readNamespaces(concat(field(1, field(2, [0x0a, 0]))))).message, "byte 4")
  })

  it("an absent index has the data's block size; a schema is seen", () => {
    const [one] = right(readNamespaces(bytesOf(JSON.stringify({
      namespaces: { a: { retention_options: { blockSizeNanos: 5 }, schemaOptions: { defaultMessageName: "x" } } }
    }))))
    assert.deepInclude(one!, { blockSizeNanos: 5n, indexBlockSizeNanos: 5n, indexEnabled: false, hasSchema: true })
  })
})
