import { assert, describe, it } from "@effect/vitest"
import {
  formatShards,
  isTopologyError,
  Limits,
  type Namespace,
  parsePeer,
  parsePeers,
  parseShards,
  peersOf,
  peersOfShards,
  shardOwners,
  shardsOf,
  staticPlacement,
  type TopologyError,
  validateNamespace,
  validatePlacement,
  validateShardMap
} from "@peerstrap/m3db-topology"
import * as fc from "fast-check"
import { instance, placement, settled, shard } from "./builders.ts"

const right = <A>(value: A | TopologyError): A => {
  if (isTopologyError(value)) throw value
  return value
}
const problems = (value: unknown): ReadonlyArray<string> => (isTopologyError(value) ? value.problems : [])

describe("parseShards", () => {
  it("reads ranges and single shards, each once, ascending", () => {
    assert.deepStrictEqual(parseShards("12, 0-3,2-4", 16), [0, 1, 2, 3, 4, 12])
    assert.deepStrictEqual(parseShards("0", 1), [0])
  })

  it("tells all problems at once", () => {
    const found = problems(parseShards("0-7,x,,9-8,16,3-99", 16))
    assert.lengthOf(found, 5)
    assert.include(found[2]!, "write 8-9")
    assert.include(found[3]!, "0 to 15")
    assert.lengthOf(problems(parseShards("", 16)), 1)
    assert.lengthOf(problems(parseShards("0-9999999999", 16)), 1)
    assert.lengthOf(problems(parseShards("0", Limits.shards + 1)), 1)
  })

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(63), { minLength: 1 }), (shards) => {
        const sorted = shards.toSorted((a, b) => a - b)
        assert.deepStrictEqual(parseShards(formatShards(sorted), 64), sorted)
      }),
      { seed: 7 }
    )
  })
})

describe("shard map", () => {
  it("every host in any state is a peer, but the origin", () => {
    const owners = right(shardOwners(placement([
      instance("a", [shard(0), shard(1, "leaving")]),
      instance("b", [shard(0), shard(1)]),
      instance("c", [shard(1, "initializing", "a")])
    ])))
    assert.deepStrictEqual(peersOf(owners, 1).map((each) => each.host), ["a", "b", "c"])
    assert.deepStrictEqual(peersOf(owners, 1, "b").map((each) => each.state), ["leaving", "initializing"])
    assert.deepStrictEqual(peersOf(owners, 9), [])
    assert.deepStrictEqual(peersOfShards(owners, [1, 0], "a").map((each) => each.host), ["b", "c"])
    assert.deepStrictEqual(shardsOf(settled, "nobody"), [])
  })

  it("says everything that is wrong with a map", () => {
    const broken = placement([instance("a", [shard(0), shard(5), shard(7)]), instance("b", [])], { numShards: 4 })
    assert.deepStrictEqual(validateShardMap(broken), [
      "no host has shards 1-3",
      "shards 0 are on 1 hosts, the replica factor is 2",
      "shards 5,7 do not exist: there are 4, 0 to 3",
      "instance \"b\" has no shards"
    ])
    assert.deepStrictEqual(problems(shardOwners(broken)), validateShardMap(broken))
    assert.lengthOf(validateShardMap(placement([], { numShards: 0 })), 1)
    assert.lengthOf(validateShardMap(placement([], { numShards: 4_000_000_000 })), 1)
    assert.deepStrictEqual(validateShardMap(settled), [])
  })

  it("a host that names a shard twice counts once", () => {
    const twice = placement([instance("a", [shard(0), shard(0), shard(1)]), instance("b", [shard(1)])])
    assert.deepStrictEqual(validateShardMap(twice), ["shards 0 are on 1 hosts, the replica factor is 2"])
  })

  it("checks the largest map in a moment", () => {
    const empty = placement([], { numShards: Limits.shards })
    assert.deepStrictEqual(validateShardMap(empty), [`no host has shards 0-${Limits.shards - 1}`])
    assert.lengthOf(validatePlacement(empty), 2)
  })
})

describe("placement rules", () => {
  const moving = placement([
    instance("a", [shard(0, "leaving"), shard(1)]),
    instance("b", [shard(0), shard(1)]),
    instance("c", [shard(0, "initializing", "a")])
  ])

  it("accepts a settled placement, a brand-new one and one in motion", () => {
    const fresh = ["a", "b"].map((id) => instance(id, [shard(0, "initializing"), shard(1, "initializing")]))
    for (const each of [settled, moving, placement(fresh)]) assert.deepStrictEqual(validatePlacement(each), [])
  })

  const broken = [
    ["mirrored but not sharded", { ...settled, isSharded: false, isMirrored: true }, /mirrored but not sharded/],
    ["sub-clustered but not sharded", { ...settled, isSharded: false, isSubclustered: true }, /sub-clustered but not/],
    [
      "no endpoint",
      placement([...settled.instances.slice(1), instance("a", settled.instances[0]!.shards, { endpoint: "" })]),
      /"a" has no endpoint/
    ],
    ["no shards", placement([...settled.instances, instance("c", [])]), /"c" has no shards/],
    [
      "a shard twice",
      placement([instance("a", [shard(0), shard(0)]), instance("b", [shard(1), shard(1)])]),
      /shards 0 twice/
    ],
    [
      "an unknown state",
      placement([instance("a", [shard(0, "unknown"), shard(1)]), settled.instances[1]!]),
      /shards 0 in a state/
    ],
    [
      "a source that keeps the shard",
      placement([
        settled.instances[0]!,
        instance("b", [shard(0), shard(1, "initializing", "a")])
      ]),
      /takes shard 1 from "a", where it is not leaving/
    ],
    [
      "one source for two",
      placement([
        instance("a", [shard(0, "leaving"), shard(1)]),
        instance("b", [shard(0, "initializing", "a"), shard(1)]),
        instance("c", [shard(0, "initializing", "a")])
      ]),
      /gives it to another already/
    ],
    [
      "leaving to nobody",
      placement([...settled.instances, instance("c", [shard(0, "leaving")])]),
      /1 shards are leaving, 0 are/
    ],
    [
      "more leaving than initializing",
      placement([
        ...moving.instances,
        instance("d", [shard(0, "leaving"), shard(1, "leaving")])
      ]),
      /only 1 are initializing/
    ],
    ["too few copies", placement(settled.instances.slice(1)), /shards 0-1 have 1 available or initializing copies/],
    [
      "the wrong total",
      placement([...settled.instances, instance("c", [shard(1)])]),
      /5 shards are available or initializing, 2 × 2/
    ],
    [
      "different shards in a shard set",
      placement([
        instance("a", [shard(0), shard(1)], { shardSetId: 3 }),
        instance("b", [shard(0)], { shardSetId: 3 }),
        instance("c", [shard(1)])
      ]),
      /share shard set 3/
    ]
  ] as const
  for (const [name, each, expected] of broken) {
    it(`rejects: ${name}`, () => assert.match(validatePlacement(each).join("\n"), expected))
  }
})

describe("static topology", () => {
  it("reads peers: names, IPv4, IPv6", () => {
    assert.deepStrictEqual(parsePeer("a=host.example:9000"), { id: "a", endpoint: "host.example:9000" })
    assert.deepStrictEqual(parsePeer("node-1=[::1]:9000"), { id: "node-1", endpoint: "[::1]:9000" })
  })

  it("says what is wrong, for all peers at once", () => {
    const found = problems(
      parsePeers(["a", "=h:1", "b=h", "c=::1:9000", "d=h:0", "e=h:70000", "ok=h:1", "ok=h:2", "two=h:1"])
    )
    assert.lengthOf(found, 8)
    assert.isTrue(found.slice(0, 6).every((each) => each.includes("write ID=HOST:PORT")))
    assert.include(found[6]!, "given twice")
    assert.lengthOf(problems(parsePeers([])), 1)
  })

  it("gives all shards to all peers, available, and passes both lists", () => {
    const read = right(staticPlacement(right(parsePeers(["b=h:2", "a=h:1", "c=h:3"])), 4))
    assert.deepStrictEqual(validateShardMap(read), [])
    assert.deepStrictEqual(validatePlacement(read), [])
    assert.deepStrictEqual(peersOf(right(shardOwners(read)), 3, "b").map((each) => each.endpoint), ["h:1", "h:3"])
  })

  it("refuses what cannot be", () => {
    assert.lengthOf(problems(staticPlacement([], 0, 0)), 3)
    assert.lengthOf(problems(staticPlacement([{ id: "a", endpoint: "h:1" }], 1, 2)), 1)
    assert.lengthOf(problems(staticPlacement([{ id: "a", endpoint: "h:1" }], Limits.shards + 1)), 1)
  })
})

describe("namespace rules", () => {
  const good: Namespace = {
    name: "n",
    blockSizeNanos: 100n,
    retentionNanos: 1000n,
    bufferPastNanos: 10n,
    bufferFutureNanos: 5n,
    futureRetentionNanos: 0n,
    indexEnabled: true,
    indexBlockSizeNanos: 200n,
    bootstrapEnabled: true,
    flushEnabled: true,
    snapshotEnabled: true,
    writesToCommitLog: true,
    coldWritesEnabled: false,
    hasSchema: false
  }
  const broken: ReadonlyArray<readonly [Partial<Namespace>, RegExp]> = [
    [{ blockSizeNanos: 0n }, /block size 0 is not positive/],
    [{ bufferPastNanos: 100n }, /buffer past 100/],
    [{ bufferFutureNanos: -1n }, /buffer future -1/],
    [{ retentionNanos: 99n, indexEnabled: false }, /retention 99 is shorter/],
    [{ futureRetentionNanos: 50n }, /future retention 50/],
    [{ indexBlockSizeNanos: 0n }, /index block size 0 is not positive/],
    [{ indexBlockSizeNanos: 1100n }, /longer than the retention/],
    [{ futureRetentionNanos: 100n }, /longer than the future retention/],
    [{ indexBlockSizeNanos: 250n }, /not a multiple/]
  ]
  it("accepts a good one", () => assert.deepStrictEqual(validateNamespace(good), []))
  for (const [change, expected] of broken) {
    it(`rejects ${expected.source}`, () => assert.match(validateNamespace({ ...good, ...change }).join("\n"), expected))
  }
})
