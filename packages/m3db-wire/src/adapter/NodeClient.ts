/**
 * The client of one M3DB peer: one connection for health, up to three more with one bulk call each.
 *
 *     fetchBlocks ─┐                       ┌─ connection 1 ─┐
 *     fetchBlocks ─┼─ wait in order ─ pool ┼─ connection 2 ─┼─ peer
 *     metadata    ─┘                       └─ connection 3 ─┤
 *     health ─────────────────────────────── connection 4 ──┘
 */
import { type Address, formatAddress, Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { decodeBlocksAnswer, encodeBlocksRequest, requestElements } from "../codec/BlocksCodec.ts"
import { Method } from "../codec/Call.ts"
import { ChecksumType } from "../codec/Checksum.ts"
import { decodeHealthAnswer } from "../codec/HealthCodec.ts"
import { decodeMetadataAnswer, encodeMetadataRequest } from "../codec/MetadataCodec.ts"
import { RemoteError } from "../codec/RemoteError.ts"
import { emptyArguments } from "../codec/ResultStruct.ts"
import { readUsualAnswer } from "../codec/UsualAnswer.ts"
import { isWireFault, type WireFault } from "../codec/WireFault.ts"
import type { AnswerBuffer, AnswerBuffers } from "../contract/AnswerBuffers.ts"
import type { BlocksAnswer } from "../contract/Columns.ts"
import { Limits } from "../contract/Limits.ts"
import { type BlocksRequest, CallError, type CallOptions, type NodeClient } from "../contract/NodeClient.ts"
import { classifyRemoteError } from "../engine/Classification.ts"
import { type ClientCounters, makeCounters } from "../engine/ClientSession.ts"
import { type CallFailure, callFailure, type CallOutcome, type PendingCall } from "../engine/PendingCall.ts"
import { ConnectionPool, type Lease } from "./ConnectionPool.ts"
import { connect, monotonicMillis } from "./PeerConnection.ts"

/** Bounds of one peer's client; each has its default in `Limits`. */
export interface NodeClientLimits {
  /** Connections to the peer, at least 2: one for health, the rest for bulk calls. Default `Limits.connectionsPerPeer`. */
  readonly connections?: number
  /** Default `Limits.maxWaitingCalls`. */
  readonly maxWaitingCalls?: number
  /** Default `Limits.dialTimeoutMillis`. */
  readonly dialTimeoutMillis?: number
  /** Default `Limits.handshakeTimeoutMillis`. */
  readonly handshakeTimeoutMillis?: number
  /** Default `Limits.idleTimeoutMillis`. */
  readonly idleTimeoutMillis?: number
  /** Default `Limits.callTimeoutMillis`. */
  readonly totalTimeoutMillis?: number
  /** Default `Limits.maxAnswerBytes`. */
  readonly maxAnswerBytes?: number
  /** Of both directions: a server answers with the request's type. Default CRC-32. */
  readonly checksumType?: ChecksumType
  /** How we name ourselves in the handshake. Default `peerstrap`. */
  readonly processName?: string
}

/** Which peer a client speaks with, and its bounds. */
export interface NodeClientOptions extends NodeClientLimits {
  /** The peer's name in errors. */
  readonly peer: string
  readonly address: Address
}

/** A client with what it has counted. */
export interface CountingNodeClient extends NodeClient {
  readonly counters: Readonly<ClientCounters>
}

/** A failure with the bytes that had come. */
interface FailedCall {
  readonly failure: CallFailure
  readonly receivedBytes: number
}

/** One method as it is called: what is sent, where the answer is gathered, how it is read. */
interface CalledMethod<A extends object> {
  readonly name: string
  readonly pool: "bulk" | "reserved"
  readonly method: string
  readonly arg3: () => Uint8Array
  /** Called when the call's turn has come. */
  readonly buffer?: ((maxAnswerBytes: number) => AnswerBuffer | undefined) | undefined
  readonly decode: (answer: GatheredAnswer, maxBytes: number) => A | RemoteError | WireFault
}

interface GatheredAnswer {
  readonly code: number
  readonly arg3: Uint8Array
  /** At the beginning of which it lies, if the method has one. */
  readonly buffer: AnswerBuffer | undefined
}

interface Asked {
  readonly pending: PendingCall
  readonly outcome: CallOutcome
  readonly buffer: AnswerBuffer | undefined
}

/** Reasons after which a connection may hold the rest of an answer, or nothing useful any more. */
const endsConnection: ReadonlySet<CallFailure["reason"]> = new Set(["timeout", "protocol", "bad-answer", "too-large"])

const settings = (limits: NodeClientLimits, call: CallOptions) => ({
  idleMillis: call.idleTimeoutMillis ?? limits.idleTimeoutMillis ?? Limits.idleTimeoutMillis,
  totalMillis: call.totalTimeoutMillis ?? limits.totalTimeoutMillis ?? Limits.callTimeoutMillis,
  maxAnswerBytes: call.maxAnswerBytes ?? limits.maxAnswerBytes ?? Limits.maxAnswerBytes,
  onBytes: call.onBytes
})

type CallSettings = ReturnType<typeof settings>

/** One timer a call: it sleeps until the earlier deadline could have passed and looks again. */
const watch = (
  nowMillis: () => number,
  pending: PendingCall,
  beganMillis: number,
  chosen: CallSettings
): Effect.Effect<CallFailure> =>
  Effect.suspend(() => {
    const { idleMillis, totalMillis } = chosen
    const now = nowMillis()
    const totalLeft = beganMillis + totalMillis - now
    if (totalLeft <= 0) return Effect.succeed(callFailure("timeout", `no complete answer in ${totalMillis} ms`))
    const idleLeft = pending.lastByteMillis + idleMillis - now
    if (idleLeft <= 0) return Effect.succeed(callFailure("timeout", `no byte of the answer for ${idleMillis} ms`))
    return Effect.andThen(
      Effect.sleep(Math.ceil(Math.min(totalLeft, idleLeft))),
      watch(nowMillis, pending, beganMillis, chosen)
    )
  })

/** A successful value goes with code 0, a declared error with code 1; anything else is not what the spec describes. */
const judge = <A extends object>(code: number, decoded: A | RemoteError | WireFault): A | CallFailure => {
  if (isWireFault(decoded)) {
    return callFailure(decoded.kind === "too-large" ? "too-large" : "bad-answer", `answer: ${decoded.toString()}`)
  }
  const declared = decoded instanceof RemoteError
  if (code !== (declared ? 1 : 0)) {
    return callFailure("bad-answer", `answer has code ${code} with ${declared ? "an error" : "a value"} in its result`)
  }
  return declared ? callFailure(classifyRemoteError(decoded), decoded.message) : decoded
}

const isCallFailure = (value: object): value is CallFailure => "_tag" in value && value._tag === "failure"

class Client {
  readonly counters: ClientCounters = makeCounters()
  private readonly options: NodeClientOptions
  private readonly nowMillis: () => number
  private readonly bulk: ConnectionPool
  private readonly reserved: ConnectionPool
  /** Length of the last answer: the first capacity for the next one of several frames. */
  private lastAnswerBytes = 0

  constructor(
    options: NodeClientOptions,
    transport: Context.Context<Transport>,
    clock: Clock.Clock,
    scope: Scope.Scope
  ) {
    this.options = options
    this.nowMillis = () => monotonicMillis(clock)
    const connections = options.connections ?? Limits.connectionsPerPeer
    if (!(Number.isInteger(connections) && connections >= 2)) {
      throw new RangeError(`connections must be an integer of at least 2, got ${connections}`)
    }
    const dial = Effect.provideContext(
      connect(
        {
          address: options.address,
          processName: options.processName ?? "peerstrap",
          checksumType: options.checksumType ?? ChecksumType.crc32,
          dialTimeoutMillis: options.dialTimeoutMillis ?? Limits.dialTimeoutMillis,
          handshakeTimeoutMillis: options.handshakeTimeoutMillis ?? Limits.handshakeTimeoutMillis
        },
        this.counters,
        scope
      ),
      transport
    )
    const maxWaitingCalls = options.maxWaitingCalls ?? Limits.maxWaitingCalls
    const { nowMillis } = this
    this.bulk = new ConnectionPool({ size: connections - 1, maxWaitingCalls, dial, nowMillis })
    this.reserved = new ConnectionPool({ size: 1, maxWaitingCalls, dial, nowMillis })
  }

  /** One call from its turn to its decoded answer. */
  call<A extends object>(method: CalledMethod<A>, options: CallOptions = {}): Effect.Effect<A, CallError> {
    return Effect.suspend(() => {
      const arg3 = method.arg3()
      const chosen = settings(this.options, options)
      this.counters.calls++
      return this[method.pool].use(chosen.totalMillis, (lease) => this.ask(lease, method, arg3, chosen)).pipe(
        Effect.flatMap(({ buffer, outcome, pending }): Effect.Effect<A, FailedCall> => {
          const { receivedBytes } = pending
          if (outcome._tag === "failure") return Effect.fail({ failure: outcome, receivedBytes })
          this.lastAnswerBytes = outcome.arg3.length
          const decoded = method.decode({ code: outcome.code, arg3: outcome.arg3, buffer }, chosen.maxAnswerBytes)
          const judged = judge(outcome.code, decoded)
          if (!isCallFailure(judged)) return Effect.succeed(judged)
          buffer?.giveBack()
          return Effect.fail({ failure: judged, receivedBytes })
        }),
        Effect.mapError((error) => {
          this.counters.failedCalls++
          const { failure, receivedBytes } = "failure" in error ? error : { failure: error, receivedBytes: 0 }
          return new CallError({
            peer: this.options.peer,
            address: formatAddress(this.options.address),
            method: method.name,
            reason: failure.reason,
            message: failure.message.slice(0, Limits.maxMessageBytes),
            receivedBytes
          })
        })
      )
    })
  }

  private ask(
    { beganMillis, connection }: Lease,
    { buffer: bufferOf, method, pool }: Pick<CalledMethod<object>, "buffer" | "method" | "pool">,
    arg3: Uint8Array,
    chosen: CallSettings
  ): Effect.Effect<Asked> {
    return Effect.suspend(() => {
      const { nowMillis } = this
      const { session } = connection
      const buffer = bufferOf?.(chosen.maxAnswerBytes)
      const pending = session.begin(method, arg3, {
        ttlMillis: Math.max(1, Math.floor(beganMillis + chosen.totalMillis - nowMillis())),
        maxAnswerBytes: chosen.maxAnswerBytes,
        capacityHint: Math.max(256 * 1024, this.lastAnswerBytes),
        into: buffer?.answer,
        onBytes: chosen.onBytes
      })
      const answer = Effect.callback<CallOutcome>((resume) => {
        pending.listen((outcome) => resume(Effect.succeed(outcome)))
      })
      return Effect.raceFirst(answer, watch(nowMillis, pending, beganMillis, chosen)).pipe(
        Effect.map((outcome) => ({ pending, outcome, buffer })),
        Effect.onExit((exit) =>
          Effect.sync(() => {
            const { outcome } = pending
            if (outcome === undefined) session.abandon(pending)
            // From here on nothing is gathered any more.
            if (outcome?._tag !== "answer" || Exit.isFailure(exit)) buffer?.giveBack()
            // A server cannot be told to stop: what is left of an answer would stand before the next one.
            const unfinished = outcome === undefined
              ? pool === "bulk" || pending.receivedBytes === 0
              : outcome._tag === "failure" && endsConnection.has(outcome.reason)
            if (unfinished) connection.close(`a call of ${method} was given up`)
          })
        )
      )
    })
  }
}

/**
 * Makes a client. Nothing is dialled before the first call; all connections end with the scope. The total timer of a call
 * runs from the moment its turn comes, so waiting behind our own calls is never blamed on the peer.
 */
export const make = (
  options: NodeClientOptions
): Effect.Effect<CountingNodeClient, never, Transport | Scope.Scope> =>
  Effect.gen(function*() {
    const transport = Context.make(Transport, yield* Transport)
    const client = new Client(options, transport, yield* Clock.Clock, yield* Effect.scope)
    return {
      peer: options.peer,
      address: formatAddress(options.address),
      counters: client.counters,
      health: (call) =>
        client.call({
          name: "health",
          pool: "reserved",
          method: Method.health,
          arg3: emptyArguments,
          decode: ({ arg3 }, maxBytes) => decodeHealthAnswer(arg3, maxBytes)
        }, call),
      fetchBlocksMetadata: (request, call) =>
        client.call({
          name: "fetchBlocksMetadata",
          pool: "bulk",
          method: Method.fetchBlocksMetadata,
          arg3: () => encodeMetadataRequest(request),
          decode: ({ arg3 }, maxBytes) => decodeMetadataAnswer(arg3, maxBytes)
        }, call),
      fetchBlocks: (request, call) => {
        const buffers = call?.buffers
        return buffers === undefined
          ? client.call(plainBlocks(request), call)
          : Effect.suspend(() => client.call(bufferedBlocks(request, buffers), call))
      }
    }
  })

const plainBlocks = (request: BlocksRequest): CalledMethod<BlocksAnswer> => ({
  name: "fetchBlocks",
  pool: "bulk",
  method: Method.fetchBlocks,
  arg3: () => encodeBlocksRequest(request),
  decode: ({ arg3 }, maxBytes) => decodeBlocksAnswer(arg3, maxBytes)
})

/** The usual answer is matched and verified in the pass that reads it; any other is decoded. */
const bufferedBlocks = (request: BlocksRequest, buffers: AnswerBuffers): CalledMethod<BlocksAnswer> => {
  const arg3 = encodeBlocksRequest(request)
  const { elements, items } = requestElements(request, arg3)
  return {
    ...plainBlocks(request),
    arg3: () => arg3,
    buffer: (maxAnswerBytes) => buffers.take({ elements, items, maxAnswerBytes }),
    decode: ({ arg3, buffer, code }, maxBytes) => {
      const usual = code === 0 ? readUsualAnswer(arg3, elements, items, buffer) : undefined
      if (usual !== undefined) return usual
      const decoded = decodeBlocksAnswer(arg3, maxBytes)
      return buffer === undefined || !("idOffset" in decoded)
        ? decoded
        : { ...decoded, release: () => buffer.giveBack() }
    }
  }
}

/** Opens clients of peers by address; what assemblies depend on instead of a transport. */
export class NodeClients extends Context.Service<NodeClients, {
  open(peer: string, address: Address): Effect.Effect<CountingNodeClient, never, Scope.Scope>
}>()("@peerstrap/m3db-wire/NodeClients") {}

/** `NodeClients` over the transport given, all with the same limits. */
export const layer = (limits: NodeClientLimits = {}): Layer.Layer<NodeClients, never, Transport> =>
  Layer.effect(
    NodeClients,
    Effect.map(Transport, (transport) =>
      NodeClients.of({
        open: (peer, address) => Effect.provideService(make({ ...limits, peer, address }), Transport, transport)
      }))
  )
