/**
 * Named nodes and the links between them, driven by a `Scheduler`: connections are loss-free byte streams with delay, jitter
 * and bandwidth, and links can be cut, partitioned (one way, too), made to refuse, or left half-open.
 *
 * ```
 *   node a ── link a→b (shape, stalled?, silent?) ──► node b       listeners by node:port
 *          ◄── link b→a ─────────────────────────────
 * ```
 */
import { type Address, type DialReason, formatAddress } from "@peerstrap/transport"
import { Limits } from "../contract/Limits.ts"
import { Endpoint } from "./Endpoint.ts"
import { Flow } from "./Flow.ts"
import type { LinkShape, LinkState } from "./Link.ts"
import type { Random } from "./Random.ts"
import type { Scheduler } from "./Scheduler.ts"

/** The clock, the chance and the links of a network. */
export interface NetworkOptions {
  readonly scheduler: Scheduler
  readonly random: Random
  /** The shape of every link that `setLink` does not name. Default: 1 ms of latency. */
  readonly link?: LinkShape
  /** Default `Limits.windowBytes`. */
  readonly windowBytes?: number
}

/** Who hears how a dial ends; one of the two is called, once. */
export interface DialCallbacks {
  connected(endpoint: Endpoint): void
  failed(reason: DialReason, message: string): void
}

interface Joined {
  readonly from: string
  readonly to: string
  readonly near: Endpoint
  readonly far: Endpoint
  readonly flows: readonly [Flow, Flow]
}

interface WaitingDial {
  readonly from: string
  readonly to: string
  readonly retry: () => void
}

const ephemeralPort = 49_152

/** Nodes and links in virtual time. */
export class Network {
  readonly scheduler: Scheduler
  private readonly random: Random
  private readonly windowBytes: number
  private readonly defaultShape: LinkShape
  private readonly links = new Map<string, LinkState>()
  private readonly listeners = new Map<string, (endpoint: Endpoint) => void>()
  private readonly nodes = new Set<string>()
  private readonly refusing = new Set<string>()
  private readonly joined = new Set<Joined>()
  private waitingDials: Array<WaitingDial> = []
  private connectionCount = 0
  private nextPort = ephemeralPort

  constructor(options: NetworkOptions) {
    this.scheduler = options.scheduler
    this.random = options.random.fork("network")
    this.windowBytes = options.windowBytes ?? Limits.windowBytes
    this.defaultShape = options.link ?? { latencyMillis: 1 }
  }

  /** Makes a name known; a dial to an unknown one fails with `unknown-host`. Listening does so, too. */
  addNode(name: string): void {
    this.nodes.add(name)
  }

  /** Live connections, both ends counted once. */
  get connections(): number {
    return this.joined.size
  }

  /** Changes the shape of the link from one node to another; what is under way keeps its time. */
  setLink(from: string, to: string, shape: LinkShape): void {
    this.link(from, to).shape = shape
  }

  /** Everything sent between the groups waits until `heal`; with `oneWay`, only from the first to the second. */
  partition(
    group: ReadonlyArray<string>,
    others: ReadonlyArray<string>,
    options?: { readonly oneWay?: boolean }
  ): void {
    this.scheduler.note(`partition ${group.join(",")} | ${others.join(",")}`)
    this.eachPair(group, others, options?.oneWay ?? false, (link) => {
      link.stalled = true
    })
    this.relink()
  }

  /** What is sent from one node to another is never heard of, while connections stay up: half-open. */
  silence(from: string, to: string): void {
    this.scheduler.note(`silence ${from}>${to}`)
    this.link(from, to).silent = true
  }

  /** Ends every partition and silence. Bytes that waited travel on; a connection that lost bytes stays silent. */
  heal(): void {
    this.scheduler.note("heal")
    for (const link of this.links.values()) {
      link.stalled = false
      link.silent = false
    }
    this.relink()
  }

  /** Resets the connections between two nodes, or all of one node. Returns how many. */
  cut(node: string, other?: string): number {
    this.scheduler.note(`cut ${node} ${other ?? "*"}`)
    const hit = [...this.joined].filter(({ from, to }) =>
      (from === node && (other === undefined || to === other)) ||
      (to === node && (other === undefined || from === other))
    )
    for (const { far, near } of hit) {
      near.reset("connection reset (simulated)")
      far.reset("connection reset (simulated)")
    }
    return hit.length
  }

  /** Whether dials to this node are refused although it listens. */
  refuse(node: string, refusing = true): void {
    if (refusing) this.refusing.add(node)
    else this.refusing.delete(node)
  }

  /** Opens `node:port` (0: a free port); undefined when it is taken. `accept` gets each new connection. */
  listen(node: string, port: number, accept: (endpoint: Endpoint) => void): Address | undefined {
    this.addNode(node)
    const address: Address = { host: node, port: port === 0 ? this.freePort(node) : port }
    if (this.listeners.has(formatAddress(address))) return undefined
    this.listeners.set(formatAddress(address), accept)
    return address
  }

  unlisten(address: Address): void {
    this.listeners.delete(formatAddress(address))
  }

  /**
   * Connects after one round trip. Over a partitioned or silent link nothing happens until it is healed: set a time limit
   * yourself. The function returned gives up.
   */
  dial(from: string, to: Address, callbacks: DialCallbacks): () => void {
    this.addNode(from)
    let given = false
    const attempt = () => {
      if (given) return
      if (!this.nodes.has(to.host)) {
        callbacks.failed("unknown-host", `no node is called ${to.host}`)
        return
      }
      const there = this.link(from, to.host)
      const back = this.link(to.host, from)
      if (there.stalled || back.stalled || there.silent || back.silent) {
        this.waitingDials.push({ from, to: to.host, retry: attempt })
        return
      }
      this.scheduler.after(this.delay(there.shape) + this.delay(back.shape), () => {
        if (!given) this.answer(from, to, callbacks)
      }, { label: `answer ${formatAddress(to)}>${from}` })
    }
    this.scheduler.after(0, attempt, { label: `dial ${from}>${formatAddress(to)}` })
    return () => {
      given = true
    }
  }

  private answer(from: string, to: Address, callbacks: DialCallbacks): void {
    const accept = this.listeners.get(formatAddress(to))
    if (accept === undefined || this.refusing.has(to.host)) {
      callbacks.failed("refused", `${formatAddress(to)} refused the connection`)
      return
    }
    const near = new Endpoint(from, formatAddress(to))
    const far = new Endpoint(to.host, `${from}:${this.nextPort++}`)
    const number = this.connectionCount++
    const flow = (source: Endpoint, target: Endpoint) =>
      new Flow({
        scheduler: this.scheduler,
        link: this.link(source.node, target.node),
        label: `${source.node}>${target.node} #${number}`,
        windowBytes: this.windowBytes,
        seed: this.random.fork(`${number} ${source === near ? "there" : "back"}`).bits(),
        receiver: { arrived: () => target.deliver(), ended: (reason) => target.ended(reason) }
      })
    const there = flow(near, far)
    const back = flow(far, near)
    near.connect(back, there)
    far.connect(there, back)
    const joined: Joined = { from, to: to.host, near, far, flows: [there, back] }
    this.joined.add(joined)
    const ended = () => {
      if (near.reason !== undefined && far.reason !== undefined) this.joined.delete(joined)
    }
    near.onClosed(ended)
    far.onClosed(ended)
    accept(far)
    callbacks.connected(near)
  }

  private freePort(node: string): number {
    for (;;) {
      const port = this.nextPort++
      if (!this.listeners.has(formatAddress({ host: node, port }))) return port
    }
  }

  private link(from: string, to: string): LinkState {
    const key = `${from}>${to}`
    let link = this.links.get(key)
    if (link === undefined) {
      link = { shape: this.defaultShape, stalled: false, silent: false }
      this.links.set(key, link)
    }
    return link
  }

  private delay(shape: LinkShape): number {
    return (shape.latencyMillis ?? 0) +
      (shape.jitterMillis === undefined ? 0 : this.random.float() * shape.jitterMillis)
  }

  private eachPair(
    group: ReadonlyArray<string>,
    others: ReadonlyArray<string>,
    oneWay: boolean,
    change: (link: LinkState) => void
  ): void {
    for (const a of group) {
      for (const b of others) {
        if (a === b) continue
        change(this.link(a, b))
        if (!oneWay) change(this.link(b, a))
      }
    }
  }

  private relink(): void {
    for (const { flows } of this.joined) for (const flow of flows) flow.relink()
    const dials = this.waitingDials
    this.waitingDials = []
    for (const dial of dials) this.scheduler.after(0, dial.retry, { label: `dial again ${dial.from}>${dial.to}` })
  }
}
