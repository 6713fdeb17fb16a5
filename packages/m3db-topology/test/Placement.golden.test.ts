import { assert, describe, it } from "@effect/vitest"
import {
  isTopologyError,
  peersOf,
  type Placement,
  readNamespaces,
  readPlacement,
  type ShardOwners,
  shardOwners,
  shardsOf,
  type TopologyError,
  validateNamespace,
  validatePlacement,
  validateShardMap
} from "@peerstrap/m3db-topology"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { sharedMissing, sharedPath } from "../../../tools/shared.ts"
import { bytesOf } from "./builders.ts"

const right = <A>(value: A | TopologyError): A => {
  if (isTopologyError(value)) throw value
  return value
}

interface Key {
  readonly key: string
  readonly decoded: unknown
  readonly valueFile: string
}

const stages = sharedMissing === undefined ? readdirSync(sharedPath("data/m3db/etcd")).toSorted() : []

const stage = (name: string, key: string): { readonly raw: Uint8Array; readonly decoded: unknown } => {
  const folder = sharedPath(join("data/m3db/etcd", name))
  const kv = JSON.parse(readFileSync(join(folder, "kv.json"), "utf8")) as { readonly keys: ReadonlyArray<Key> }
  const entry = kv.keys.find((each) => each.key.includes(key))!
  return { raw: readFileSync(join(folder, entry.valueFile)), decoded: entry.decoded }
}

const placementAt = (name: string): Placement => right(readPlacement(stage(name, "_sd.placement").raw))
const ownersAt = (name: string): ShardOwners => right(shardOwners(placementAt(name)))
const statesOf = (placement: Placement, host: string) =>
  shardsOf(placement, host).map((each) => `${each.shard}${each.state[0]}`).join()

// Host a: shard 0 INITIALIZING without a state field, shard 1 AVAILABLE; one replica of two shards.
const vector = Buffer.from("0a180a016112130a01612a06613a393030303200320408011001100118022001", "hex")

describe("placement, recorded", () => {
  it("a vector that the clone has alone", () => {
    const read = right(readPlacement(vector))
    assert.deepInclude(read, { replicaFactor: 1, numShards: 2, isSharded: true })
    assert.strictEqual(read.instances[0]?.endpoint, "a:9000")
    assert.strictEqual(statesOf(read, "a"), "0i,1a")
    assert.deepStrictEqual(validateShardMap(read), [])
  })

  if (sharedMissing !== undefined) {
    it("recorded stages", () => console.warn(sharedMissing))
    return
  }

  it("sees all stages", () => assert.strictEqual(stages.length, 6))

  for (const name of stages) {
    it(`${name}: protobuf and JSON give the same placement, valid by both lists`, () => {
      const { decoded, raw } = stage(name, "_sd.placement")
      const read = right(readPlacement(raw))
      const json = right(readPlacement(bytesOf(JSON.stringify({ placement: decoded, version: 7 }, null, 1))))
      assert.deepStrictEqual({ ...json, version: undefined }, read)
      assert.strictEqual(json.version, 7)
      assert.deepStrictEqual(right(readPlacement(bytesOf(JSON.stringify(decoded)))), read)
      assert.deepStrictEqual(validateShardMap(read), [])
      assert.deepStrictEqual(validatePlacement(read), [])
    })

    it(`${name}: namespaces`, () => {
      const { decoded, raw } = stage(name, "m3db.node.namespaces")
      const read = right(readNamespaces(raw))
      assert.deepStrictEqual(right(readNamespaces(bytesOf(JSON.stringify({ registry: decoded })))), read)
      assert.deepStrictEqual(read.map((each) => each.name), ["idx", "raw"])
      assert.deepStrictEqual(read.map((each) => each.indexEnabled), [true, false])
      assert.deepInclude(read[1]!, {
        blockSizeNanos: 7_200_000_000_000n,
        retentionNanos: 86_400_000_000_000n,
        bufferPastNanos: 600_000_000_000n,
        bufferFutureNanos: 120_000_000_000n,
        coldWritesEnabled: true,
        hasSchema: false
      })
      assert.deepStrictEqual(read.flatMap(validateNamespace), [])
    })
  }

  it("a brand-new placement is initializing everywhere, without sources", () => {
    const read = placementAt("1-initial")
    for (const host of ["A", "B"]) {
      assert.strictEqual(statesOf(read, host), "0i,1i,2i,3i,4i,5i,6i,7i")
      assert.isTrue(shardsOf(read, host).every((each) => each.source === undefined))
    }
    assert.strictEqual(statesOf(placementAt("2-available"), "A"), "0a,1a,2a,3a,4a,5a,6a,7a")
  })

  it("while C is added, all three hosts are peers of a shard that moves", () => {
    const owners = ownersAt("3-c-added")
    assert.deepStrictEqual(
      peersOf(owners, 0).map((each) => [each.host, each.state, each.source]),
      [["A", "leaving", undefined], ["B", "available", undefined], ["C", "initializing", "A"]]
    )
    assert.deepStrictEqual(peersOf(owners, 0, "C").map((each) => each.endpoint), ["127.0.0.1:9000", "127.0.0.2:9000"])
    assert.deepStrictEqual(peersOf(owners, 7).map((each) => each.host), ["A", "B"])
    assert.deepStrictEqual(peersOf(ownersAt("4-c-available"), 0).map((each) => each.host), ["B", "C"])
  })

  it("while D replaces C, all of C's shards leave to D, and both are peers", () => {
    const read = placementAt("6-c-replaced-by-d")
    const shards = shardsOf(read, "C")
    assert.isTrue(shards.length > 0 && shards.every((each) => each.state === "leaving"))
    assert.deepStrictEqual(
      shardsOf(read, "D").map((each) => [each.shard, each.state, each.source]),
      shards.map((each) => [each.shard, "initializing", "C"])
    )
    const hosts = peersOf(right(shardOwners(read)), shards[0]!.shard).map((each) => each.host)
    assert.deepStrictEqual(hosts.slice(-2), ["C", "D"])
  })
})
