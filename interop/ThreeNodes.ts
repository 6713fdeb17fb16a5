/** What the tests of a three-node cluster share: one namespace of 2 h blocks, two of them in the past, and the flags that name them. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { HeldSeries } from "./Held.ts"
import { differences } from "./Held.ts"
import { readFilesets } from "./HeldFilesets.ts"
import { readAll } from "./OrdinaryReads.ts"
import { bootstrap } from "./Program.ts"
import { type Cluster, makeHosts, RealNode } from "./RealNode.ts"
import { makeWorkload, type WrittenSeries } from "./Workload.ts"

export const namespace = "idx"
export const numShards = 8
export const blockSizeSeconds = 7_200
export const blockSize = BigInt(blockSizeSeconds) * 1_000_000_000n
export const levels = ["none", "one", "unstrict_majority", "majority", "unstrict_all", "all"] as const
export const seed = 20_261_121

const cluster: Cluster = {
  numShards,
  namespaces: [{ id: namespace, blockSize: "2h", retention: "24h", indexed: true }]
}

export const m3dbnode = (): string => {
  const binary = process.env["PEERSTRAP_M3DBNODE"]
  if (binary === undefined) throw new Error("run it with: npm run interop -- --m3dbnode PATH")
  return binary
}

export interface ThreeNodes {
  readonly directory: string
  readonly nodes: readonly [RealNode, RealNode, RealNode]
  /** ns. */
  readonly blockStarts: ReadonlyArray<bigint>
  readonly workload: ReadonlyArray<WrittenSeries>
  /** Flags of `peerstrap-m3db`: `--peer` of each node, the namespace, the range. */
  readonly peers: ReadonlyArray<string>
  readonly flags: ReadonlyArray<string>
  readonly range: { readonly start: bigint; readonly end: bigint }
  readonly stop: () => Promise<void>
}

const iso = (nanos: bigint): string => new Date(Number(nanos / 1_000_000n)).toISOString()

const between = ({ end, start }: ThreeNodes["range"]) => ["--from", iso(start), "--to", iso(end)]

/** The cluster, none of whose nodes runs yet. */
export const threeNodes = async (series: number): Promise<ThreeNodes> => {
  const directory = await mkdtemp(join(tmpdir(), "peerstrap-interop-"))
  const hosts = await makeHosts(["a", "b", "c"], directory)
  const [a, b, c] = hosts.map((host) => new RealNode(m3dbnode(), host, hosts, cluster))
  const nodes = [a!, b!, c!] as const
  const present = Math.floor(Date.now() / 1000 / blockSizeSeconds) * blockSizeSeconds
  // Whole blocks in the past, so that no clock and no buffer can move them into the mutable range during the test.
  const first = present - 4 * blockSizeSeconds
  const blockStartsSeconds = [first, first + blockSizeSeconds]
  const blockStarts = blockStartsSeconds.map((start) => BigInt(start) * 1_000_000_000n)
  const range = { start: blockStarts[0]!, end: blockStarts[1]! + blockSize }
  return {
    directory,
    nodes,
    blockStarts,
    workload: makeWorkload({ seed, series, pointsPerBlock: 20, numShards, blockStartsSeconds, blockSizeSeconds }),
    peers: nodes.flatMap(({ address, host }) => ["--peer", `${host.id}=${address}`]),
    flags: ["--namespace", namespace, "--num-shards", String(numShards), "--block-size", "2h", ...between(range)],
    range,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop("SIGKILL")))
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** Bootstraps from all three at a level; what it told, and each difference of its filesets from what is wanted. */
export const bootstrapAt = async (
  { directory, flags, peers }: ThreeNodes,
  wanted: ReadonlyArray<HeldSeries>,
  level: string,
  name: string,
  ...more: ReadonlyArray<string>
) => {
  const out = join(directory, "ours", `${name}-${level}`)
  const { document, ended } = await bootstrap([...peers, ...flags, "--level", level, "--out", out, ...more])
  return { ...ended, document, different: differences(wanted, await readFilesets(out, namespace)), out }
}

/** Reads every series of a holding from a node, by its own reads, and returns it as it came. */
export const readFrom = async (
  node: RealNode,
  ofNamespace: string,
  series: ReadonlyArray<HeldSeries>,
  blockNanos: bigint
): Promise<ReadonlyArray<HeldSeries>> => {
  const ranges = series.flatMap(({ blocks, id }) => blocks.map(({ start }) => ({ id, start, end: start + blockNanos })))
  const read = (await readAll(node.host.port, ofNamespace, ranges)).values()
  return series.map((one) => ({
    ...one,
    blocks: one.blocks.map(({ start }) => ({ start, points: read.next().value ?? [] }))
      .filter(({ points }) => points.length > 0)
  }))
}
