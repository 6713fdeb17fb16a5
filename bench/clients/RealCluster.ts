/** Three real nodes on one block of our filesets, for clients to stream from. */
import { seededSpec } from "@peerstrap/m3db-wire/testing"
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeHosts, RealNode } from "../../interop/RealNode.ts"
import { writeSeededFilesets, type WrittenData } from "../../interop/SeededFilesets.ts"
import { progress } from "../method/Options.ts"

export interface RealCluster extends WrittenData {
  readonly directory: string
  /** `ID=HOST:PORT,…`. */
  readonly peers: string
  readonly namespace: string
  readonly shards: number
  /** ns. */
  readonly start: bigint
  readonly end: bigint
  readonly blockSize: bigint
  readonly stop: () => Promise<void>
}

export interface ClusterSpec {
  readonly series: number
  readonly points: number
  readonly shards: number
}

const seed = 20_261_121
const namespace = "bulk"
const blockSize = 7_200_000_000_000n

/** The last block that no clock and no buffer can make mutable while the benchmark runs. */
const pastBlock = (): bigint => (BigInt(Date.now()) * 1_000_000n / blockSize - 3n) * blockSize

export const startCluster = async (
  m3dbnode: string,
  { points, series, shards }: ClusterSpec
): Promise<RealCluster> => {
  const directory = await mkdtemp(join(tmpdir(), "peerstrap-s13-"))
  const hosts = await makeHosts(["a", "b", "c"], directory)
  const cluster = {
    numShards: shards,
    namespaces: [{ id: namespace, blockSize: "2h", retention: "12h", indexed: false }]
  }
  const nodes = hosts.map((host) => new RealNode(m3dbnode, host, hosts, cluster))
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop("SIGKILL")))
    await rm(directory, { recursive: true, force: true })
  }
  try {
    progress(`writing filesets of ${series} series × ${points} points for three nodes`)
    const start = pastBlock()
    const spec = seededSpec({ seed, namespace, numShards: shards, series, points, start, blockSize, tags: 4 })
    const first = nodes[0]!
    const written = await writeSeededFilesets(first.prefix, spec)
    for (const node of nodes.slice(1)) {
      await mkdir(node.prefix, { recursive: true })
      await cp(join(first.prefix, "data"), join(node.prefix, "data"), { recursive: true })
    }
    progress("starting three nodes on them")
    await Promise.all(nodes.map((node) => node.start()))
    await Promise.all(nodes.map((node) => node.bootstrapped(120_000)))
    const peers = nodes.map(({ address, host }) => `${host.id}=${address}`).join(",")
    return { ...written, directory, peers, namespace, shards, start, end: start + blockSize, blockSize, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
