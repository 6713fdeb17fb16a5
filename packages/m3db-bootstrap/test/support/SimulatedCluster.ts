/**
 * Replicas, a sink and a clock in one thread around the pure engine: it executes the engine's actions under virtual time, with
 * answers that go through the real codecs. Seeded: the same seed gives the same run.
 */
import type { Level } from "@peerstrap/consistency-policy"
import {
  type BlocksElement,
  decodeMetadataAnswer,
  encodeBlocksAnswer,
  encodeMetadataAnswer,
  type MetadataElement
} from "@peerstrap/m3db-wire"
import { adler32, type MergeRule, mostReplicas } from "@peerstrap/m3tsz"
import { leastLoaded, makePeerQueues, type QueueLimits } from "@peerstrap/peer-selection"
import { Random } from "@peerstrap/simulator"
import { ByteLedger } from "@peerstrap/transport"
import { defaultStreamLimits, type StreamLimits } from "../../src/contract/Limits.ts"
import type { StreamAction, StreamEvent, StreamJob, StreamOptions } from "../../src/contract/StreamRun.ts"
import { StreamRun } from "../../src/engine/StreamRun.ts"
import { handedOn } from "./HandedOn.ts"
import {
  blockSize,
  type Failure,
  firstBlock,
  type Held,
  hex,
  type Replica,
  type Served,
  type ServedCall
} from "./SimulatedReplica.ts"

export * from "./SimulatedReplica.ts"

export interface SimulationSpec {
  readonly seed: number
  readonly replicas: ReadonlyArray<Replica>
  readonly numShards: number
  readonly blocks: number
  readonly level?: Level
  readonly replicationFactor?: number
  readonly memoryBytes?: number
  readonly limits?: Partial<StreamLimits>
  readonly queueLimits?: Partial<QueueLimits>
  readonly options?: Partial<StreamOptions>
  readonly jobs?: ReadonlyArray<StreamJob>
  readonly ledger?: ByteLedger
  readonly mergeRule?: MergeRule
  /** ms that a write or commit takes. */
  readonly sinkDelay?: number
}

interface OpenCall {
  isCancelled: boolean
  giveUp: () => void
}

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export class Simulation {
  readonly run: StreamRun
  readonly ledger: ByteLedger
  now = 1_795_250_000_000
  readonly started = this.now
  /** `shard/block start` → id hex → stream. */
  readonly written = new Map<string, Map<string, Uint8Array>>()
  readonly tagsOf = new Map<string, string>()
  readonly committed = new Set<string>()
  readonly aborted: Array<string> = []
  readonly notes: Array<string> = []
  /** Every action in order, as `list A`, `fetch B 3`, `deliver`, … */
  readonly trace: Array<string> = []
  /** Called before an action is executed. */
  onAction: (action: StreamAction) => void = () => {}
  /** Called before the engine takes an event. */
  onEvent: (event: StreamEvent) => void = () => {}
  /** Called when the engine has taken an event and its actions are executed. */
  onStepped: () => void = () => {}
  failWrites: string | undefined
  readonly replicas: ReadonlyArray<Replica>
  private readonly spec: SimulationSpec
  private readonly agenda: Array<Due> = []
  private readonly calls = new Map<string, OpenCall>()
  private order = 0
  private readonly random: () => number

  constructor(spec: SimulationSpec) {
    this.spec = spec
    this.replicas = spec.replicas
    const random = Random.make(spec.seed).fork("engine")
    this.random = () => random.float()
    this.ledger = spec.ledger ?? new ByteLedger(spec.memoryBytes ?? 64 << 20)
    const peers = spec.replicas.map((replica) => replica.id)
    const starts = Array.from({ length: spec.blocks }, (_, block) => firstBlock + BigInt(block) * blockSize)
    const jobs = spec.jobs ??
      Array.from({ length: spec.numShards }, (_, shard): StreamJob => ({
        shard,
        peers: peers.map((_id, peer) => peer),
        blockStarts: starts
      }))
    this.run = new StreamRun({
      options: {
        namespace: "ns",
        peers,
        blockSizeNanos: blockSize,
        replicationFactor: spec.replicationFactor ?? peers.length,
        numShards: spec.numShards,
        hashSeed: 0,
        errorPolicy: "002",
        encoding: "m3tsz",
        ...spec.options
      },
      jobs,
      limits: { ...defaultStreamLimits, ...spec.limits },
      level: spec.level ?? "majority",
      ledger: this.ledger,
      queues: makePeerQueues({ peers, random: this.random, ...(spec.queueLimits ? { limits: spec.queueLimits } : {}) }),
      ranking: leastLoaded,
      mergeRule: spec.mergeRule ?? mostReplicas,
      random: this.random,
      nowMillis: this.now
    })
  }

  after(millis: number, run: () => void): void {
    this.agenda.push({ at: this.now + millis, order: this.order++, run })
  }

  send(event: StreamEvent): void {
    this.onEvent(event)
    this.run.step(event, this.now)
    this.perform()
    this.onStepped()
  }

  /** Runs until the engine has finished, nothing can happen any more, or virtual time is over. */
  play(maxMillis = 600_000): this {
    this.send({ _tag: "tick" })
    const end = this.now + maxMillis
    while (!this.run.isFinished) {
      while (this.run.hasWork) this.send({ _tag: "tick" })
      if (this.run.isFinished) break
      this.agenda.sort((a, b) => a.at - b.at || a.order - b.order)
      const wake = this.run.wakeAt()
      const next = this.agenda[0]
      const at = Math.min(wake, next?.at ?? Number.POSITIVE_INFINITY)
      if (at > end) {
        this.now = end
        return this
      }
      this.now = Math.max(this.now, at)
      if (next !== undefined && next.at <= this.now) {
        this.agenda.shift()
        next.run()
      } else this.send({ _tag: "tick" })
    }
    return this
  }

  private perform(): void {
    const actions: Array<StreamAction> = []
    this.run.drain(actions)
    for (const action of actions) {
      this.onAction(action)
      this.execute(action)
    }
  }

  private execute(action: StreamAction): void {
    switch (action._tag) {
      case "list":
        return this.list(action)
      case "fetch":
        return this.fetch(action)
      case "deliver": {
        this.trace.push("deliver")
        this.after(this.spec.sinkDelay ?? 1, () => {
          if (this.failWrites !== undefined) {
            this.send({ _tag: "sink-failed", message: this.failWrites, remedy: "free some space" })
          } else this.write(action)
          this.send({ _tag: "written", delivery: action.delivery })
        })
        return
      }
      case "commit": {
        const name = `${action.key.shard}/${action.key.blockStart}`
        this.trace.push(`commit ${name}`)
        this.after(this.spec.sinkDelay ?? 1, () => {
          this.committed.add(name)
          this.send({ _tag: "committed", job: action.job, block: action.block })
        })
        return
      }
      case "abort": {
        const name = `${action.key.shard}/${action.key.blockStart}`
        this.aborted.push(name)
        this.written.delete(name)
        return
      }
      case "cancel": {
        const { call } = action
        return this.cancelCall(call.kind === "list" ? `list ${call.job} ${call.peer}` : `fetch ${call.batch}`)
      }
      case "note":
        return void this.notes.push(action.name)
      case "finished":
        return void this.trace.push(`finished ${action.outcome._tag}`)
    }
  }

  private write({ batch }: Extract<StreamAction, { readonly _tag: "deliver" }>): void {
    const name = `${batch.key.shard}/${batch.key.blockStart}`
    const block = this.written.get(name) ?? new Map<string, Uint8Array>()
    this.written.set(name, block)
    for (let i = 0; i < batch.count; i++) {
      const id = hex(batch.ids[i]!)
      if (block.has(id)) throw new Error(`series ${id} was delivered twice for ${name}`)
      const stream = Buffer.concat(batch.data[i]!)
      if (adler32(stream) !== batch.checksums[i]) {
        throw new Error(`series ${id}: the checksum given to the sink is wrong`)
      }
      block.set(id, stream)
      this.tagsOf.set(id, hex(batch.tags[i]!))
    }
  }

  private answerLater(
    name: string,
    kind: "list" | "fetch",
    peer: number,
    answer: () => StreamEvent,
    fail: (failure: Failure) => StreamEvent
  ): void {
    const replica = this.spec.replicas[peer]!
    const nth = ++replica.calls[kind]
    const failure = replica.fault(kind, nth, this.now)
    const open = this.open(name)
    const tell = (event: StreamEvent): void => {
      if (!open.isCancelled) this.send(event)
    }
    if (failure !== undefined) this.after(failure.afterMillis ?? 2, () => tell(fail(failure)))
    else {
      const event = answer()
      const bytes = event._tag === "answer" ? event.answer.buffer.length : 0
      this.after(replica.delay(kind) + bytes * replica.millisPerByte, () => tell(event))
    }
  }

  private open(name: string): OpenCall {
    const call: OpenCall = { isCancelled: false, giveUp: () => {} }
    this.calls.set(name, call)
    return call
  }

  /** Nothing more is told about this call: `fetch BATCH`, or `list JOB PEER`. */
  cancelCall(name: string): void {
    const call = this.calls.get(name)
    if (call === undefined) return
    call.isCancelled = true
    call.giveUp()
  }

  private hand(served: Served, name: string, call: ServedCall): void {
    const open = this.open(name)
    open.giveUp = served.serve({
      ...call,
      answered: (answer) => {
        if (!open.isCancelled) call.answered(answer)
      },
      failed: (reason, message, receivedBytes) => {
        if (!open.isCancelled) call.failed(reason, message, receivedBytes)
      }
    })
  }

  private list(action: Extract<StreamAction, { readonly _tag: "list" }>): void {
    const { job, peer, request } = action
    const replica = this.spec.replicas[peer]!
    this.trace.push(`list ${replica.id}`)
    if (replica.served !== undefined) {
      replica.calls.list++
      return this.hand(replica.served, `list ${job} ${peer}`, {
        kind: "list",
        request,
        maxAnswerBytes: action.maxAnswerBytes,
        answered: (page) => "count" in page && this.send({ _tag: "page", job, peer, page }),
        failed: (reason, message, receivedBytes) =>
          this.send({ _tag: "page-failed", job, peer, reason, message, receivedBytes })
      })
    }
    const failed = (failure: Failure): StreamEvent => ({
      _tag: "page-failed",
      job,
      peer,
      reason: failure.reason,
      message: failure.message ?? failure.reason,
      receivedBytes: 0
    })
    this.answerLater(`list ${job} ${peer}`, "list", peer, () => {
      const asked = request.pageToken === undefined ? 0 : new DataView(request.pageToken.slice().buffer).getUint32(0)
      const all = (replica.held.get(request.shard) ?? []).filter((held) =>
        held.start >= request.rangeStart && held.start < request.rangeEnd
      )
      const rows = all.slice(asked, asked + Math.min(replica.pageSize, request.limit))
      const next = replica.nextToken(
        asked + rows.length < all.length ? asked + rows.length : undefined,
        asked,
        request
      )
      const elements = replica.tamperPage(
        rows.map((held): MetadataElement => ({
          id: held.id,
          start: held.start,
          size: BigInt(held.streams.reduce((sum, stream) => sum + stream.length, 0)),
          checksum: held.advertised ?? (held.streams.length === 1 ? adler32(held.streams[0]!) : undefined),
          encodedTags: held.tags
        })),
        request
      )
      const token = next === undefined ? undefined : new Uint8Array(4)
      if (token !== undefined) new DataView(token.buffer).setUint32(0, next!)
      const bytes = encodeMetadataAnswer(elements, token)
      if (bytes.length > action.maxAnswerBytes) return failed({ reason: "too-large" })
      const page = decodeMetadataAnswer(bytes)
      if (!("count" in page)) throw new Error("the simulated page does not decode")
      return { _tag: "page", job, peer, page }
    }, failed)
  }

  private fetch(action: Extract<StreamAction, { readonly _tag: "fetch" }>): void {
    const { batch, peer, request } = action
    const replica = this.spec.replicas[peer]!
    this.trace.push(`fetch ${replica.id} ${request.ids.length}`)
    if (replica.served !== undefined) {
      replica.calls.fetch++
      return this.hand(replica.served, `fetch ${batch}`, {
        kind: "fetch",
        // Made when they are looked at, and of memory that the engine uses again.
        request: {
          namespace: request.namespace,
          shard: request.shard,
          ids: request.ids.map((id) => id.slice()),
          startHi: request.startHi.slice(),
          startLo: request.startLo.slice()
        },
        maxAnswerBytes: action.maxAnswerBytes,
        answered: (answer) => "elementCount" in answer && this.send({ _tag: "answer", batch, answer }),
        failed: (reason, message, receivedBytes) =>
          this.send({ _tag: "answer-failed", batch, reason, message, receivedBytes })
      })
    }
    const failed = (failure: Failure): StreamEvent => ({
      _tag: "answer-failed",
      batch,
      reason: failure.reason,
      message: failure.message ?? failure.reason,
      receivedBytes: 0
    })
    const ids = request.ids.map((id) => id.slice())
    this.answerLater(`fetch ${batch}`, "fetch", peer, () => {
      const list = replica.held.get(request.shard) ?? []
      const elements = ids.map((id, i): BlocksElement => {
        const start = (BigInt(request.startHi[i]!) << 32n) | BigInt(request.startLo[i]! >>> 0)
        const held = list.find((one) => one.start === start && Buffer.compare(one.id, id) === 0)
        return { id, blocks: held === undefined ? [] : [blockOf(held)] }
      })
      const bytes = encodeBlocksAnswer(replica.tamper(elements, request))
      if (bytes.length > action.maxAnswerBytes) return failed({ reason: "too-large" })
      const answer = handedOn(bytes, request, action.maxAnswerBytes)
      if (!("elementCount" in answer)) throw new Error("the simulated answer does not decode")
      return { _tag: "answer", batch, answer }
    }, failed)
  }
}

const empty = new Uint8Array(0)

const blockOf = (held: Held): BlocksElement["blocks"][number] =>
  held.streams.length === 1
    ? { start: held.start, merged: { head: held.streams[0]!, tail: empty }, checksum: adler32(held.streams[0]!) }
    : { start: held.start, unmerged: held.streams.map((stream) => ({ head: stream, tail: empty })) }

export const writtenOf = (simulation: Simulation): Map<string, Map<string, string>> =>
  new Map(
    [...simulation.written].filter(([name, block]) => block.size > 0 && simulation.committed.has(name)).map((
      [name, block]
    ) => [
      name,
      new Map([...block].map(([id, stream]) => [id, hex(stream)]))
    ])
  )
