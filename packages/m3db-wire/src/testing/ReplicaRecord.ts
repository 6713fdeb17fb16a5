/** What a replica was asked and how it went, for tests about the order and the number of requests. */
import type { CallOutcome, ServerCall, ServerEvent } from "../adapter/ServerCall.ts"

/** Requests kept; older ones are forgotten. */
const maxRequests = 20_000

/** One call as it was recorded. */
export interface RecordedRequest {
  /** Number of the call on this replica, from 1. */
  readonly sequence: number
  readonly connection: number
  readonly method: string
  /** Streaming calls only. */
  readonly shard: number | undefined
  /** Listings only: absent on the first page. */
  readonly pageToken: Uint8Array | undefined
  /** Listings only, ns. */
  readonly rangeStart: bigint | undefined
  readonly rangeEnd: bigint | undefined
  /** Block requests only: the elements asked for. */
  readonly items: number | undefined
  /** Block requests only, and only with `recordIds`. */
  readonly ids: ReadonlyArray<Uint8Array> | undefined
  readonly ttlMillis: number
  readonly requestBytes: number
  /** Place among all arrivals and ends of calls: compares what came first. */
  readonly arrivedAt: number
  /** Undefined while it is being answered. */
  readonly endedAt: number | undefined
  /** `declared`: a Thrift error. Undefined when the call ended without any outcome. */
  readonly outcome: "ok" | "declared" | "error-frame" | "silence" | undefined
}

/** Counts of connections and calls, and the calls recorded. */
export interface ReplicaStats {
  readonly openConnections: number
  /** Since the start. */
  readonly connections: number
  readonly maxOpenConnections: number
  readonly calls: number
  readonly listings: number
  readonly blockRequests: number
  readonly callsInFlight: number
  readonly maxCallsInFlight: number
  /** Of block requests alone. */
  readonly maxBlockRequestsInFlight: number
  readonly receivedBytes: number
  readonly sentBytes: number
  /** Frames and messages that broke a rule. */
  readonly rejected: number
  /** The latest `maxRequests`, in order of arrival. */
  readonly requests: ReadonlyArray<RecordedRequest>
}

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

const outcomeName = (outcome: CallOutcome): RecordedRequest["outcome"] =>
  outcome.kind === "result" ? (outcome.code === 0 ? "ok" : "declared") : outcome.kind === "frames" ? "ok" : outcome.kind

/** Counts what a replica is asked and keeps a bounded list of it. */
export class ReplicaRecord {
  private readonly recordIds: boolean
  private readonly counts: Mutable<Omit<ReplicaStats, "requests">> = {
    openConnections: 0,
    connections: 0,
    maxOpenConnections: 0,
    calls: 0,
    listings: 0,
    blockRequests: 0,
    callsInFlight: 0,
    maxCallsInFlight: 0,
    maxBlockRequestsInFlight: 0,
    receivedBytes: 0,
    sentBytes: 0,
    rejected: 0
  }
  private requests: Array<Mutable<RecordedRequest>> = []
  private readonly open = new Map<number, Mutable<RecordedRequest>>()
  private blockRequestsInFlight = 0
  private clock = 0

  constructor(recordIds: boolean) {
    this.recordIds = recordIds
  }

  readonly observe = (event: ServerEvent): void => {
    const { counts } = this
    if (event.kind === "opened") {
      counts.connections++
      counts.maxOpenConnections = Math.max(counts.maxOpenConnections, ++counts.openConnections)
    } else if (event.kind === "closed") counts.openConnections--
    else if (event.kind === "received") counts.receivedBytes += event.bytes
    else if (event.kind === "rejected") counts.rejected++
    else if (event.kind === "call") this.arrived(event.call)
    else if (event.kind === "outcome") {
      const request = this.open.get(event.call.sequence)
      if (request !== undefined) request.outcome = outcomeName(event.outcome)
    } else if (event.kind === "answered") this.ended(event.call)
  }

  sent(bytes: number): void {
    this.counts.sentBytes += bytes
  }

  stats(): ReplicaStats {
    return { ...this.counts, requests: this.requests.map((request) => ({ ...request })) }
  }

  /** Forgets the requests seen so far and the highest marks; what is open goes on. */
  clear(): void {
    this.requests = []
    this.counts.maxCallsInFlight = this.counts.callsInFlight
    this.counts.maxBlockRequestsInFlight = this.blockRequestsInFlight
  }

  private arrived(call: ServerCall): void {
    const { counts } = this
    counts.calls++
    counts.maxCallsInFlight = Math.max(counts.maxCallsInFlight, ++counts.callsInFlight)
    const listing = call.request.kind === "listing" ? call.request.request : undefined
    const blocks = call.request.kind === "blocks" ? call.request.request : undefined
    if (listing !== undefined) counts.listings++
    if (blocks !== undefined) {
      counts.blockRequests++
      counts.maxBlockRequestsInFlight = Math.max(counts.maxBlockRequestsInFlight, ++this.blockRequestsInFlight)
    }
    const request: Mutable<RecordedRequest> = {
      sequence: call.sequence,
      connection: call.connection,
      method: call.method,
      shard: (listing ?? blocks)?.shard,
      pageToken: listing?.pageToken?.slice(),
      rangeStart: listing?.rangeStart,
      rangeEnd: listing?.rangeEnd,
      items: blocks?.elements.length,
      ids: this.recordIds ? blocks?.elements.map(({ id }) => id.slice()) : undefined,
      ttlMillis: call.ttlMillis,
      requestBytes: call.requestBytes,
      arrivedAt: ++this.clock,
      endedAt: undefined,
      outcome: undefined
    }
    if (this.requests.length >= maxRequests) this.requests = this.requests.slice(maxRequests >> 1)
    this.requests.push(request)
    this.open.set(call.sequence, request)
  }

  private ended(call: ServerCall): void {
    this.counts.callsInFlight--
    if (call.request.kind === "blocks") this.blockRequestsInFlight--
    const request = this.open.get(call.sequence)
    if (request !== undefined) request.endedAt = ++this.clock
    this.open.delete(call.sequence)
  }
}
