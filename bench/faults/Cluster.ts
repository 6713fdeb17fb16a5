/** Three replicas of one data set, their variants and the proxies in front of C; whatever is not needed is not started. */
import { once } from "node:events"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import type { BootstrapOptions } from "./Bootstrap.ts"
import { type DataSpec, type Replica, startProxy, startReplica, startReplicaWithTruth } from "./Replicas.ts"

/** As measured on real nodes: about 12,600 series and 27 MB in 8 shards. */
const bulk: DataSpec = { namespace: "bulk", series: 12_600, points: 870, shards: 8 }

/** A shard's worth: replicas with other data need long to make them. */
const small: DataSpec = { namespace: "small", series: 1_600, points: 870, shards: 8 }

interface Changed {
  readonly b?: string
  readonly c?: string
  readonly flags?: ReadonlyArray<string>
  readonly onStart?: (out: string) => void
}

const flagsOf = ({ namespace, shards }: DataSpec, { end, start }: Replica): ReadonlyArray<string> => {
  const range = ["--from", start, "--to", end]
  return ["--namespace", namespace, "--num-shards", String(shards), "--block-size", "2h", ...range]
}

/** Addresses at which nobody listens. */
const freePorts = async (count: number): Promise<ReadonlyArray<string>> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"))
  await Promise.all(servers.map((server) => once(server, "listening")))
  return servers.map((server) => {
    const { port } = server.address() as AddressInfo
    server.close()
    return `127.0.0.1:${port}`
  })
}

export class Cluster {
  readonly truth: string
  readonly damaged: Replica
  /** Addresses at which nobody listens, for B and for C. */
  readonly nobody: { readonly b: string; readonly c: string }
  private readonly a: Replica
  private readonly b: Replica
  private c: Replica
  private readonly directory: string
  private readonly proxies = new Map<string, string>()
  private others: { readonly options: BootstrapOptions; readonly truth: string } | undefined

  private constructor(made: {
    readonly truth: string
    readonly replicas: readonly [Replica, Replica, Replica, Replica]
    readonly nobody: Cluster["nobody"]
    readonly directory: string
  }) {
    this.truth = made.truth
    ;[this.a, this.b, this.c, this.damaged] = made.replicas
    this.nobody = made.nobody
    this.directory = made.directory
  }

  static async start(directory: string): Promise<Cluster> {
    const [{ replica: a, truth }, b, c, damaged] = await Promise.all([
      startReplicaWithTruth(bulk, directory),
      startReplica(bulk),
      startReplica(bulk),
      startReplica(bulk, ["--damage", "3"])
    ])
    const [noB, noC] = await freePorts(2)
    return new Cluster({ truth, replicas: [a, b, c, damaged], nobody: { b: noB!, c: noC! }, directory })
  }

  options({ b, c, flags = [], onStart }: Changed): BootstrapOptions {
    const peers = [["A", this.a.hostPort], ["B", b ?? this.b.hostPort], ["C", c ?? this.c.hostPort]] as const
    return { peers, flags: [...flagsOf(bulk, this.a), ...flags], onStart }
  }

  /** The address of a proxy in front of C. */
  async proxy(fault: string): Promise<string> {
    const known = this.proxies.get(fault)
    if (known !== undefined) return known
    const made = await startProxy(this.c.port, fault)
    this.proxies.set(fault, made)
    return made
  }

  async behave(behaviours: string): Promise<void> {
    const said = await this.c.tell(`behaviour ${behaviours}`)
    if (said["ok"] !== true) throw new Error(`C refused "${behaviours}": ${JSON.stringify(said)}`)
  }

  killC(): Promise<void> {
    return this.c.kill()
  }

  async restartC(): Promise<void> {
    this.c = await startReplica(bulk)
    // They lead to the port that has gone.
    this.proxies.clear()
  }

  /** Three replicas of which no two hold the same; every point of A outlives the merge. */
  async differing(): Promise<{ readonly options: BootstrapOptions; readonly truth: string }> {
    if (this.others !== undefined) return this.others
    const [{ replica: a, truth }, b, c] = await Promise.all([
      startReplicaWithTruth(small, this.directory),
      startReplica(small, ["--lack-points", "2/1"]),
      startReplica(small, ["--other-values", "1", "--lack-series", "5"])
    ])
    const peers = [["A", a.hostPort], ["B", b.hostPort], ["C", c.hostPort]] as const
    this.others = { options: { peers, flags: flagsOf(small, a) }, truth }
    return this.others
  }
}
