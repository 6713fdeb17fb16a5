/**
 * A replica of the simulated cluster that misbehaves as the scripted one does (`behaviourTable` of m3db-wire): the same data, the same lies,
 * the same words of refusal, through the real codecs and the real client's reading of failures, over a `SimulatedLink`.
 */
import {
  type BlocksAnswer,
  type CallErrorReason,
  classifyErrorFrame,
  classifyRemoteError,
  DeclaredError,
  DeclaredErrors,
  decodeMetadataAnswer,
  describeErrorFrame,
  encodeBlocksAnswer,
  encodeErrorAnswer,
  encodeMetadataAnswer,
  ErrorType,
  isWireFault,
  type MetadataPage,
  RemoteError,
  type ReplicaSourceShape,
  type WireFault
} from "@peerstrap/m3db-wire"
import {
  behavedSource,
  type DeclaredErrorKind,
  declaredErrors,
  type FrameErrorKind,
  frameErrors,
  isDeclaredKind,
  ReplicaControl,
  type ReplicaHoldings
} from "@peerstrap/m3db-wire/testing"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { handedOn } from "./HandedOn.ts"
import type { Served, ServedCall } from "./SimulatedCluster.ts"
import { type LinkFaults, type LinkPorts, type LinkShape, type Reply, SimulatedLink } from "./SimulatedLink.ts"

const text = new TextDecoder()

const remote = (error: DeclaredError): RemoteError =>
  new RemoteError(
    error.type === "BAD_REQUEST" ? ErrorType.badRequest : ErrorType.internalError,
    error.message,
    error.flags
  )

/** Elements of the source as the codec takes them. */
const withRemote = <A extends { readonly error: DeclaredError | undefined }>(one: A) => ({
  ...one,
  error: one.error === undefined ? undefined : remote(one.error)
})

const int32 = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const listHead = (count: number) => [0x0f, 0, 1, 0x0c, ...int32(count)]
const binary = (length: number) => [0x0b, 0, 1, ...int32(length), ...new Uint8Array(64).fill(0x78)]

/** Block answers whose lengths attack a reader. */
const hostileLength = (kind: "binary" | "list" | "negative"): Uint8Array => {
  const body = kind === "list" ? listHead(0x7ffffff0) : [...listHead(1), ...binary(kind === "binary" ? 0x7ffffff0 : -5)]
  return Uint8Array.from([0x0c, 0, 0, ...body, 0, 0, 0])
}

/** Far above what a reader follows; at the scale of the model an answer of as many bytes as 10,000 have. */
const nesting = 100

const nestedStructs = (depth: number): Uint8Array => {
  const out = new Uint8Array(depth * 4 + 1)
  for (let i = 0; i < depth; i++) out[i * 3] = 0x0c
  return out
}

export interface BehavedOptions {
  readonly data: ReplicaHoldings
  /** As `slow:2000+delay:20`. */
  readonly behaviours: string
  readonly ports: LinkPorts
  readonly shape: LinkShape
  /** Beside those of the behaviours. */
  readonly faults?: LinkFaults | undefined
}

type Refused = { readonly reason: CallErrorReason; readonly message: string }

export class BehavedReplica implements Served {
  readonly link: SimulatedLink
  private readonly control: ReplicaControl
  private readonly source: ReplicaSourceShape

  constructor({ behaviours, data, faults, ports, shape }: BehavedOptions) {
    const control = new ReplicaControl(behaviours, ports.nowMillis)
    this.control = control
    this.source = behavedSource({
      source: data.source(() => control.bootstrapped()),
      behaviours: () => control.behaviours,
      madeUp: data.madeUp
    })
    const of = control.behaviours
    const drip = of.get("drip")?.millis
    this.link = new SimulatedLink(ports, shape, {
      pacedBytesPerSecond: drip === undefined ? of.get("slow")?.bytesPerSecond : 1000 / Math.max(0.01, drip),
      cutAfterBytes: of.get("cut")?.bytes,
      silentAfterBytes: of.get("half-open")?.bytes,
      frameBytes: of.get("frame-size")?.bytes,
      isHttp: of.has("http"),
      ...faults
    })
  }

  serve(call: ServedCall): () => void {
    return this.link.call({
      answer: () => this.answer(call),
      failed: ({ message, reason, receivedBytes }) => call.failed(reason, message, receivedBytes)
    })
  }

  private answer(call: ServedCall): Reply | undefined {
    const { behaviours } = this.control
    const method = call.kind === "list" ? "fetchBlocksMetadataRawV2" : "fetchBlocksRaw"
    if (behaviours.get("hang")?.method === method) return undefined
    this.control.dataCalls++
    if (this.control.overRate()) return this.declares(call, DeclaredErrors.overloaded(), 0)
    const afterMillis = behaviours.get("delay")?.millis ?? 0
    const error = behaviours.get("error")
    if (error !== undefined && this.control.turn("error")) return this.refuses(call, error.kind, afterMillis)
    const hostile = behaviours.get("huge-length")
    if (call.kind === "fetch" && hostile !== undefined) {
      return this.sends(call, hostileLength(hostile.kind), afterMillis)
    }
    if (call.kind === "fetch" && behaviours.has("deep-thrift")) {
      return this.sends(call, nestedStructs(nesting), afterMillis)
    }
    const encoded = Result.getOrElse(
      Effect.runSync(Effect.result(this.encoded(call))),
      (failure) => failure
    )
    if (encoded instanceof DeclaredError) return this.declares(call, encoded, afterMillis)
    return this.withBrokenFrames(call, this.sends(call, encoded, afterMillis), encoded.length)
  }

  private encoded(call: ServedCall): Effect.Effect<Uint8Array, DeclaredError> {
    if (call.kind === "list") {
      const listing = {
        ...call.request,
        pageToken: call.request.pageToken,
        includeSizes: true,
        includeChecksums: true,
        includeLastRead: true
      }
      return Effect.map(
        this.source.listMetadata(listing),
        ({ elements = [], nextPageToken }) => encodeMetadataAnswer(elements.map(withRemote), nextPageToken)
      )
    }
    const { ids, namespace, shard, startHi, startLo } = call.request
    const elements = ids.map((id, i) => ({
      id,
      starts: [(BigInt(startHi[i]!) << 32n) | BigInt(startLo[i]! >>> 0)]
    }))
    return Effect.map(
      this.source.fetchBlocks({ namespace, shard, elements }),
      (answers) => encodeBlocksAnswer(answers.map(({ blocks, id }) => ({ id, blocks: blocks.map(withRemote) })))
    )
  }

  /** What the client makes of an answer's bytes, as its own `judge` does. */
  private sends(call: ServedCall, bytes: Uint8Array, afterMillis: number): Reply {
    if (bytes.length > call.maxAnswerBytes) {
      const message = `answer above ${call.maxAnswerBytes} bytes`
      return this.fails(call, { reason: "too-large", message }, call.maxAnswerBytes, afterMillis, true)
    }
    const decoded: MetadataPage | BlocksAnswer | RemoteError | WireFault = call.kind === "list"
      ? decodeMetadataAnswer(bytes, call.maxAnswerBytes)
      : handedOn(bytes, call.request, call.maxAnswerBytes)
    if (isWireFault(decoded)) {
      const reason = decoded.kind === "too-large" ? "too-large" : "bad-answer"
      return this.fails(call, { reason, message: `answer: ${decoded.toString()}` }, bytes.length, afterMillis)
    }
    if (decoded instanceof RemoteError) {
      const refused = { reason: classifyRemoteError(decoded), message: decoded.message }
      return this.fails(call, refused, bytes.length, afterMillis)
    }
    return { bytes: bytes.length, afterMillis, settle: () => call.answered(decoded) }
  }

  private fails(call: ServedCall, refused: Refused, bytes: number, afterMillis: number, ends = false): Reply {
    return { bytes, afterMillis, ends, settle: () => call.failed(refused.reason, refused.message, bytes) }
  }

  private declares(call: ServedCall, error: DeclaredError, afterMillis: number): Reply {
    return this.sends(call, encodeErrorAnswer(remote(error)), afterMillis)
  }

  private refuses(call: ServedCall, kind: DeclaredErrorKind | FrameErrorKind, afterMillis: number): Reply {
    if (isDeclaredKind(kind)) {
      const error = declaredErrors[kind](call.request.shard, text.decode(call.request.namespace))
      return this.declares(call, error, afterMillis)
    }
    const error = { code: frameErrors[kind], message: `replica says ${kind}` }
    const refused = { reason: classifyErrorFrame(error), message: describeErrorFrame(error) }
    return this.fails(call, refused, error.message.length, afterMillis, kind === "fatal" || kind === "declined")
  }

  private withBrokenFrames(call: ServedCall, reply: Reply, bytes: number): Reply {
    const breaks = this.control.turn("chunkless-fragment")
      ? "a fragment without a chunk"
      : this.control.turn("bad-crc")
      ? "wrong checksum in a frame"
      : undefined
    const broken = breaks === undefined
      ? reply
      : this.fails(call, { reason: "protocol", message: breaks }, bytes, reply.afterMillis, true)
    const dieAfter = this.control.behaviours.get("die-after")
    if (dieAfter === undefined || this.control.dataCalls < dieAfter.calls) return broken
    return { ...broken, diesAfterBytes: Math.floor(Math.min(bytes, 32_000) / 2) }
  }
}
