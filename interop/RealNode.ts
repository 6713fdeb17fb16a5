/** One real m3dbnode process with a static topology: its configuration, life, and the JSON calls of its HTTP port. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createWriteStream } from "node:fs"
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import * as Net from "node:net"
import { join } from "node:path"
import { setTimeout as after } from "node:timers/promises"

export interface Namespace {
  readonly id: string
  /** As in the node's configuration, such as `2h`. */
  readonly blockSize: string
  readonly retention: string
  readonly indexed: boolean
}

export interface Cluster {
  readonly numShards: number
  readonly namespaces: ReadonlyArray<Namespace>
}

/** In `default` a node of a static topology believes itself complete; in `prefer_peers` it streams what its disk lacks. */
export type BootstrapMode = "default" | "prefer_peers"

export interface Host {
  readonly id: string
  /** Where TChannel is served. */
  readonly port: number
  readonly httpPort: number
  readonly otherPorts: ReadonlyArray<number>
  readonly directory: string
}

/** Ports that are free now; all are held open until each is known, so that none is given twice. */
const freePorts = async (count: number): Promise<ReadonlyArray<number>> => {
  const servers = Array.from({ length: count }, () => Net.createServer().listen(0, "127.0.0.1"))
  await Promise.all(servers.map((server) => once(server, "listening")))
  const ports = servers.map((server) => (server.address() as Net.AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), "close")))
  return ports
}

const portsPerHost = 6

export const makeHosts = async (ids: ReadonlyArray<string>, directory: string): Promise<ReadonlyArray<Host>> => {
  const ports = await freePorts(ids.length * portsPerHost)
  return ids.map((id, index) => {
    const own = ports.slice(index * portsPerHost, (index + 1) * portsPerHost)
    return { id, port: own[0]!, httpPort: own[1]!, otherPorts: own.slice(2), directory: join(directory, id) }
  })
}

/** JSON is YAML, too. */
const configuration = (host: Host, hosts: ReadonlyArray<Host>, cluster: Cluster, mode: BootstrapMode) => ({
  db: {
    logging: { level: "info" },
    metrics: {
      prometheus: { handlerPath: "/metrics", listenAddress: `127.0.0.1:${host.otherPorts[0]}` },
      sanitization: "prometheus",
      samplingRate: 1
    },
    hostID: { resolver: "config", value: host.id },
    listenAddress: `127.0.0.1:${host.port}`,
    httpNodeListenAddress: `127.0.0.1:${host.httpPort}`,
    clusterListenAddress: `127.0.0.1:${host.otherPorts[1]}`,
    httpClusterListenAddress: `127.0.0.1:${host.otherPorts[2]}`,
    debugListenAddress: `127.0.0.1:${host.otherPorts[3]}`,
    writeNewSeriesAsync: true,
    bootstrap: { mode },
    filesystem: { filePathPrefix: join(host.directory, "m3db") },
    discovery: {
      type: "config",
      config: {
        statics: [{
          listenAddress: `127.0.0.1:${host.port}`,
          topology: {
            shards: cluster.numShards,
            replicas: hosts.length,
            hosts: hosts.map(({ id, port }) => ({ hostID: id, listenAddress: `127.0.0.1:${port}` }))
          },
          namespaces: cluster.namespaces.map(({ blockSize, id, indexed, retention }) => ({
            id,
            coldWritesEnabled: true,
            retention: { retentionPeriod: retention, blockSize, bufferPast: "10m", bufferFuture: "2m" },
            index: { enabled: indexed, blockSize }
          }))
        }]
      }
    }
  }
})

/** Waits for what only another process can do: looks again every `everyMillis` until `deadlineMillis` have passed. */
export const eventually = async <A>(
  what: string,
  look: () => Promise<A | undefined>,
  { deadlineMillis = 60_000, everyMillis = 250 } = {}
): Promise<A> => {
  const deadline = performance.now() + deadlineMillis
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMillis} ms`)
    await after(everyMillis)
  }
}

export class RealNode {
  readonly host: Host
  private readonly binary: string
  private readonly hosts: ReadonlyArray<Host>
  private readonly cluster: Cluster
  private child: ChildProcess | undefined

  constructor(binary: string, host: Host, hosts: ReadonlyArray<Host>, cluster: Cluster) {
    this.binary = binary
    this.host = host
    this.hosts = hosts
    this.cluster = cluster
  }

  /** What lies in it is what the node calls its file path prefix. */
  get prefix(): string {
    return join(this.host.directory, "m3db")
  }

  get address(): string {
    return `127.0.0.1:${this.host.port}`
  }

  get pid(): number | undefined {
    return this.child?.pid
  }

  /** Starts the process; `bootstrapped` waits for it. */
  async start(mode: BootstrapMode = "default"): Promise<void> {
    await mkdir(this.prefix, { recursive: true })
    const config = join(this.host.directory, "config.yml")
    await writeFile(config, JSON.stringify(configuration(this.host, this.hosts, this.cluster, mode)))
    const child = spawn(this.binary, ["-f", config], { stdio: ["ignore", "pipe", "pipe"] })
    const log = createWriteStream(join(this.host.directory, "log"), { flags: "a" })
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    child.on("close", () => log.end())
    this.child = child
  }

  async bootstrapped(deadlineMillis = 60_000): Promise<void> {
    await eventually(`node ${this.host.id} bootstraps`, async () => {
      if (this.child?.exitCode !== null) throw new Error(`node ${this.host.id} ended:\n${await this.logEnd()}`)
      const health = await this.call("health").catch(() => undefined)
      return (health as { readonly bootstrapped?: boolean } | undefined)?.bootstrapped === true ? true : undefined
    }, { deadlineMillis })
  }

  private async logEnd(): Promise<string> {
    return (await readFile(join(this.host.directory, "log"), "utf8")).split("\n").slice(-20).join("\n")
  }

  /** Ends the process in order, and by force when it does not listen or `signal` says so. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const { child } = this
    this.child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, "exit")
    child.kill(signal)
    const force = setTimeout(() => child.kill("SIGKILL"), 20_000)
    await ended
    clearTimeout(force)
  }

  /** Removes everything the node has stored. */
  async wipe(): Promise<void> {
    if (this.child !== undefined) throw new Error(`node ${this.host.id} runs`)
    await rm(this.prefix, { recursive: true, force: true })
  }

  /** A method of the node service, in lower case, with its Thrift struct as JSON. */
  async call(method: string, request?: object): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.host.httpPort}/${method}`, {
      method: request === undefined ? "GET" : "POST",
      ...(request === undefined ? {} : { body: JSON.stringify(request) })
    })
    const body: unknown = await response.json()
    if (!response.ok) throw new Error(`${method} on ${this.host.id}: ${response.status} ${JSON.stringify(body)}`)
    return body
  }
}
