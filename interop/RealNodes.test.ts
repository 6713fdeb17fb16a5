/**
 * The bootstrapper against three real nodes: what was written into them comes out of `peerstrap-m3db bootstrap`, out of `digest` over
 * the nodes and their own directories, and, with our filesets in the place of everything that a node had, out of that node again.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { cp, mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { readAll } from "./OrdinaryReads.ts"
import { type Cluster, eventually, makeHosts, RealNode } from "./RealNode.ts"
import { makeWorkload, pointsDigest, writeAll, type WrittenSeries } from "./Workload.ts"

const binary = process.env["PEERSTRAP_M3DBNODE"]
if (binary === undefined) throw new Error("run it with: npm run interop -- /path/to/m3dbnode")

const cluster: Cluster = { namespace: "idx", numShards: 8, blockSize: "2h", retention: "24h" }
const blockSizeSeconds = 7_200
const seed = 20_261_121

const program = fileURLToPath(new URL("../apps/m3db-bootstrapper/src/main.ts", import.meta.url))

/** Runs `peerstrap-m3db` from its sources; standard output of a run that ended with 0. */
const peerstrap = async (...args: ReadonlyArray<string>): Promise<string> => {
  const child = spawn(process.execPath, ["--conditions=@peerstrap/source", program, ...args], {
    stdio: ["ignore", "pipe", "pipe"]
  })
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
  if (code !== 0) throw new Error(`peerstrap-m3db ${args.join(" ")}: exit code ${code}\n${error}\n${out}`)
  return out
}

/** The lines that `digest` prints for exactly what was written. */
const expectedLines = (workload: ReadonlyArray<WrittenSeries>): ReadonlyArray<string> =>
  workload.flatMap(({ blocks, encodedTags, id, shard }) =>
    blocks.map((block) =>
      JSON.stringify({
        namespace: cluster.namespace,
        shard,
        id: Buffer.from(id).toString("hex"),
        tags: Buffer.from(encodedTags).toString("hex"),
        blockStart: `${block.startSeconds}000000000`,
        datapoints: block.points.length,
        sha256: pointsDigest(block)
      })
    )
  ).toSorted()

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString()

const linesOf = (out: string): ReadonlyArray<string> => out.split("\n").filter((line) => line !== "").toSorted()

/** True when each shard and block of the workload has a complete fileset that a cold write made (volume above 0). */
const isFlushed = async (node: RealNode, workload: ReadonlyArray<WrittenSeries>): Promise<boolean> => {
  const wanted = new Map(
    workload.map(({ blocks, shard }) => [shard, blocks.map(({ startSeconds }) => `${startSeconds}000000000`)])
  )
  for (const [shard, starts] of wanted) {
    const names = await readdir(join(node.prefix, "data", cluster.namespace, String(shard))).catch(() => [])
    for (const start of starts) {
      if (!names.some((name) => new RegExp(`^fileset-${start}-[1-9]\\d*-checkpoint\\.db$`).test(name))) return false
    }
  }
  return true
}

describe("three real nodes", () => {
  const nodes: Array<RealNode> = []
  let directory = ""
  let workload: ReadonlyArray<WrittenSeries> = []
  let range: ReadonlyArray<string> = []
  let peers: ReadonlyArray<string> = []
  let names: Array<string> = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "peerstrap-interop-"))
    const hosts = await makeHosts(["a", "b", "c"], directory)
    nodes.push(...hosts.map((host) => new RealNode(binary, host, hosts, cluster)))
    await Promise.all(nodes.map((node) => node.start()))
    await Promise.all(nodes.map((node) => node.bootstrapped()))
    const present = Math.floor(Date.now() / 1000 / blockSizeSeconds) * blockSizeSeconds
    // Whole blocks in the past, so that no clock and no buffer can move them into the mutable range during the test.
    const first = present - 4 * blockSizeSeconds
    workload = makeWorkload({
      seed,
      series: 120,
      pointsPerBlock: 20,
      numShards: cluster.numShards,
      blockStartsSeconds: [first, first + blockSizeSeconds],
      blockSizeSeconds
    })
    for (const node of nodes) await writeAll(node, cluster.namespace, workload)
    for (const node of nodes) {
      await eventually(
        `node ${node.host.id} flushes what was written`,
        async () => (await isFlushed(node, workload)) ? true : undefined,
        { deadlineMillis: 120_000 }
      )
    }
    range = ["--from", iso(first), "--to", iso(first + 2 * blockSizeSeconds)]
    peers = nodes.flatMap(({ address, host }) => ["--peer", `${host.id}=${address}`])
    names = ["--namespace", cluster.namespace, "--num-shards", String(cluster.numShards)]
    names.push("--block-size", cluster.blockSize)
  }, 240_000)

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    await rm(directory, { recursive: true, force: true })
  }, 60_000)

  it("digest of the live nodes is what was written", async () => {
    const lines = linesOf(
      await peerstrap("digest", ...peers, ...names, ...range, "--level", "all", "--deadline", "60s")
    )
    assert.deepStrictEqual(lines, expectedLines(workload))
  })

  it("bootstrap from them gives filesets with the same contents as each node's own", async () => {
    const out = join(directory, "ours")
    await peerstrap("bootstrap", ...peers, ...names, ...range, "--level", "all", "--deadline", "60s", "--out", out)
    assert.deepStrictEqual(linesOf(await peerstrap("digest", out)), expectedLines(workload))
    await peerstrap("verify", out)
    for (const node of nodes) {
      const own = linesOf(await peerstrap("digest", node.prefix, "--namespace", cluster.namespace))
      assert.deepStrictEqual(own, expectedLines(workload), `directory of node ${node.host.id}`)
    }
  })

  it("a node that has nothing but our filesets starts with them and serves every point", async () => {
    const c = nodes[2]!
    await c.stop()
    await c.wipe()
    await cp(join(directory, "ours", "data"), join(c.prefix, "data"), { recursive: true })
    await c.start()
    await c.bootstrapped()
    const read = await readAll(
      c.host.port,
      cluster.namespace,
      workload.map(({ blocks, id }) => ({
        id,
        startSeconds: blocks[0]!.startSeconds,
        endSeconds: blocks.at(-1)!.startSeconds + blockSizeSeconds
      }))
    )
    workload.forEach(({ blocks, id }, n) => {
      assert.deepStrictEqual(read[n], blocks.flatMap(({ points }) => points), id)
    })
    const only = ["--peer", `c=${c.address}`, ...names]
    assert.deepStrictEqual(
      linesOf(await peerstrap("digest", ...only, ...range, "--level", "all", "--deadline", "60s")),
      expectedLines(workload)
    )
  })
})
