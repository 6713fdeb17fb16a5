/**
 * A real node whose two peers are replicas of ours: wiped, in mode `prefer_peers`, it streams everything from them, holds it as filesets of its
 * own, and serves every point. One of the replicas lacks series, and one block is still in their memory, for some series in two streams.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { encodeArguments, type ServerEvent } from "@peerstrap/m3db-wire"
import { ReplicaData, SeededReplica, type SeededSpec, seededSpec, startReplica } from "@peerstrap/m3db-wire/testing"
import { Tcp } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { byId, countPoints, differences, type HeldSeries, hex } from "./Held.ts"
import { pointsOf, readFilesets } from "./HeldFilesets.ts"
import { callNode } from "./NodeCalls.ts"
import { type Cluster, type Host, makeHosts, RealNode } from "./RealNode.ts"
import { queryTags } from "./TagQueries.ts"
import { blockSize, m3dbnode, readFrom, seed } from "./ThreeNodes.ts"

const numShards = 8
const blocks = 3
/** Whole blocks, all of them past. */
const start = (BigInt(Date.now()) * 1_000_000n / blockSize - BigInt(blocks + 2)) * blockSize

const common = { seed, numShards, blocks, start, blockSize, active: 1 }
const specs: ReadonlyArray<SeededSpec> = [
  seededSpec({ ...common, namespace: "idx", series: 400, points: 60, tags: 4 }),
  // Without an index a node takes ids that are not UTF-8, from filesets and from peers.
  seededSpec({ ...common, namespace: "plain", series: 300, points: 30, tags: -1, odd: 9, annotate: 4, prefix: "plain" })
]

const cluster: Cluster = {
  numShards,
  namespaces: specs.map(({ namespace }) => ({
    id: namespace,
    blockSize: "2h",
    retention: "24h",
    indexed: namespace === "idx"
  }))
}

/** What a namespace truly holds, from the seed alone. */
const truthOf = (spec: SeededSpec): ReadonlyArray<HeldSeries> => {
  const held = new Map<string, { series: HeldSeries; blocks: Array<HeldSeries["blocks"][number]> }>()
  for (const { blockStart, encodedTags = new Uint8Array(0), id, points, shard } of new SeededReplica(spec).truth()) {
    const block = { start: blockStart, points: pointsOf(points) }
    const known = held.get(hex(id))
    if (known !== undefined) known.blocks.push(block)
    else {
      const blocks = [block]
      held.set(hex(id), { series: { shard, id, encodedTags, blocks }, blocks })
    }
  }
  return [...held.values()].map(({ series }) => series).toSorted(byId)
}

const withoutAnnotations = (series: ReadonlyArray<HeldSeries>): ReadonlyArray<HeldSeries> =>
  series.map((one) => ({
    ...one,
    blocks: one.blocks.map((block) => ({
      ...block,
      points: block.points.map(({ nanos, value }) => ({ nanos, value }))
    }))
  }))

/** Replica a is whole, b lacks every fifth series; both hold some series of the block in memory as two streams. */
const replicaAt = (host: Host, observe: (event: ServerEvent) => void) => {
  const lacking = host.id === "b" ? { lackSeries: { every: 5, remainder: 0 } } : {}
  const replicas = specs.map((spec) => new SeededReplica(spec, { ...lacking, unmerged: { every: 3, remainder: 1 } }))
  return startReplica({
    address: { host: "127.0.0.1", port: host.port },
    data: {
      source: (isBootstrapped) => new ReplicaData(replicas.map(({ namespace }) => namespace), isBootstrapped),
      madeUp: replicas[0]!.madeUp
    },
    observe
  })
}

describe("a real node with two replicas of ours as its peers", () => {
  const scope = Scope.makeUnsafe()
  const asked = new Map<string, number>()
  const rejected: Array<string> = []
  let directory = ""
  let hosts: ReadonlyArray<Host> = []
  let c: RealNode
  let seconds = 0

  const observe = (event: ServerEvent): void => {
    if (event.kind === "call") asked.set(event.call.method, (asked.get(event.call.method) ?? 0) + 1)
    else if (event.kind === "rejected" || event.kind === "refused") rejected.push(event.message)
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "peerstrap-interop-"))
    hosts = await makeHosts(["a", "b", "c"], directory)
    await Effect.runPromise(
      Effect.forEach(hosts.slice(0, 2), (host) => replicaAt(host, observe)).pipe(
        Effect.provide(Layer.succeedContext(await Effect.runPromise(Layer.buildWithScope(Tcp.layer, scope)))),
        Effect.provideService(Scope.Scope, scope)
      )
    )
    c = new RealNode(m3dbnode(), hosts[2]!, hosts, cluster)
    const began = performance.now()
    await c.start("prefer_peers")
    await c.bootstrapped(150_000)
    seconds = (performance.now() - began) / 1000
  }, 180_000)

  afterAll(async () => {
    await c.stop("SIGKILL")
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await rm(directory, { recursive: true, force: true })
  }, 60_000)

  it("bootstraps, and asks nothing that our server does not answer", () => {
    console.log(`bootstrapped after ${seconds.toFixed(1)} s; asked of us: ${JSON.stringify(Object.fromEntries(asked))}`)
    assert.deepStrictEqual(rejected, [])
    assert.includeMembers([...asked.keys()], ["health", "fetchBlocksMetadataRawV2", "fetchBlocksRaw"])
  })

  it.each(specs.map((spec) => [spec.namespace, spec] as const))(
    "namespace %s: serves every point by its own reads",
    async (namespace, spec) => {
      const truth = truthOf(spec)
      // Ids of `fetch` are Thrift strings, in which a node refuses what is not UTF-8: these it can only stream.
      const readable = truth.filter(({ id }) => Buffer.from(Buffer.from(id).toString("utf8")).equals(id))
      const read = await readFrom(c, namespace, readable, blockSize)
      // A node's `fetch` hands out annotations that it has already overwritten; its filesets have them right, see below.
      assert.deepStrictEqual(differences(withoutAnnotations(readable), withoutAnnotations(read)), [])
      assert.isAbove(countPoints(read), 10_000)
    }
  )

  it.each(specs.map((spec) => [spec.namespace, spec] as const))(
    "namespace %s: has every point of every series in filesets of its own",
    async (namespace, spec) => {
      assert.deepStrictEqual(differences(truthOf(spec), await readFilesets(c.prefix, namespace)), [])
    }
  )

  it("answers tag queries with everything", async () => {
    const range = { start, end: start + BigInt(blocks) * blockSize }
    const [found] = await queryTags(
      c.host.port,
      "idx",
      [{ kind: "regexp", tag: "__name__", pattern: "metric_.*" }],
      range
    )
    const wanted = truthOf(specs[0]!).map((
      { blocks, id }
    ) => [hex(id), blocks.reduce((n, one) => n + one.points.length, 0)])
    assert.deepStrictEqual(found!.series.map(({ id, points }) => [hex(id), points.length]), wanted)
  })

  it("a method that our server does not know gets an error frame that names it", async () => {
    const arg3 = encodeArguments((writer) => writer.stop())
    const call = { method: "Node::fetch", what: "fetch", arg3, read: () => undefined }
    const error = await callNode(hosts[0]!.port, [call]).catch((reason: Error) => reason.message)
    assert.include(error, "no handler for service \"Node\" and method \"Node::fetch\"")
  })
})
