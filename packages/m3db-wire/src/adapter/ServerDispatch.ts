/** From a reassembled request to its outcome: method table, decoding, the source's answer or its declared error. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { Method, serviceName } from "../codec/Call.ts"
import { ErrorCode } from "../codec/ErrorFrame.ts"
import { encodeHealthAnswer } from "../codec/HealthCodec.ts"
import type { MessageReader } from "../codec/Message.ts"
import { encodeEmptyValue } from "../codec/ResultStruct.ts"
import { WireFault } from "../codec/WireFault.ts"
import { type DeclaredError, DeclaredErrors, type ReplicaSourceShape } from "../contract/ReplicaSource.ts"
import type { ServerLimits } from "../contract/ServerLimits.ts"
import type { CallOutcome, Intercept, NodeRequest, ServerCall, ServerEvent } from "./ServerCall.ts"
import {
  decodeBlocksArgs,
  decodeEmptyArgs,
  decodeListingArgs,
  encodeBlocks,
  encodeDeclared,
  encodePage,
  TrailingBytes
} from "./ServerStructs.ts"

type Bounds = { readonly [K in keyof typeof ServerLimits]: number } & {
  readonly maxRequestBytes: number
  readonly handshakeTimeoutMillis: number
}

export interface ServerConfig {
  readonly source: ReplicaSourceShape
  readonly limits: Bounds
  readonly hostPort: () => string
  readonly processName: string
  readonly intercept: Intercept
  readonly observe: (event: ServerEvent) => void
  readonly nextSequence: () => number
  /** Answers of all connections that have been made and not yet been sent. */
  readonly held: { bytes: number }
}

export type StartedCall =
  | { readonly kind: "call"; readonly call: ServerCall; readonly answer: Effect.Effect<CallOutcome> }
  | { readonly kind: "error-frame"; readonly code: number; readonly message: string }
  | { readonly kind: "silence"; readonly message: string }

type Decode = (arg3: Uint8Array, maxBytes: number) => NodeRequest | WireFault | TrailingBytes

const listing: Decode = (arg3, maxBytes) => {
  const request = decodeListingArgs(arg3, maxBytes)
  return "_tag" in request ? request : { kind: "listing", request }
}

const blocks: Decode = (arg3, maxBytes) => {
  const request = decodeBlocksArgs(arg3, maxBytes)
  return "_tag" in request ? request : { kind: "blocks", request }
}

const empty = (kind: "health" | "bootstrapped"): Decode => (arg3) => decodeEmptyArgs(arg3) ?? { kind }

const decoders: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  [Method.health, empty("health")],
  [Method.bootstrapped, empty("bootstrapped")],
  [Method.bootstrappedInPlacementOrNoPlacement, empty("bootstrapped")],
  [Method.fetchBlocksMetadata, listing],
  [Method.fetchBlocks, blocks]
])

const result = (arg3: Uint8Array): CallOutcome => ({ kind: "result", code: 0, arg3 })

/** The outcome of an error that the method declares: code 1 and field 1 of the result. */
export const declaredOutcome = (error: DeclaredError): CallOutcome => ({
  kind: "result",
  code: 1,
  arg3: encodeDeclared(error)
})

const answerOf = (config: ServerConfig, request: NodeRequest): Effect.Effect<CallOutcome, DeclaredError> => {
  const { source } = config
  switch (request.kind) {
    case "health":
      return Effect.map(
        source.bootstrapped,
        (bootstrapped) => result(encodeHealthAnswer({ ok: true, status: "up", bootstrapped }))
      )
    case "bootstrapped":
      return Effect.flatMap(
        source.bootstrapped,
        (bootstrapped) =>
          bootstrapped ? Effect.succeed(result(encodeEmptyValue())) : Effect.fail(DeclaredErrors.nodeNotBootstrapped())
      )
    case "listing":
      return Effect.map(source.listMetadata(request.request), (page) => result(encodePage(page)))
    case "blocks":
      return Effect.map(
        source.fetchBlocks(request.request),
        (elements) => result(encodeBlocks(elements))
      )
  }
}

/** A defect of a source ends one call with an error frame, as a node's undeclared errors do. */
const unexpected = (cause: Cause.Cause<never>): Effect.Effect<CallOutcome> =>
  Cause.hasInterrupts(cause)
    ? Effect.failCause(cause)
    : Effect.succeed({ kind: "error-frame", code: ErrorCode.unexpected, message: String(Cause.squash(cause)) })

/** Reads what `reader` has collected. Never throws. */
export const startCall = (config: ServerConfig, connection: number, id: number, reader: MessageReader): StartedCall => {
  const { checksumType, head } = reader
  if (head?.kind !== "request" || checksumType === undefined) return { kind: "silence", message: "no request head" }
  if (head.ttlMillis === 0) return { kind: "silence", message: "TTL 0: the caller has already given up" }
  const name = Buffer.from(reader.arg1).toString("utf8")
  const decode = head.service === serviceName ? decoders.get(name) : undefined
  if (decode === undefined) {
    return {
      kind: "error-frame",
      code: ErrorCode.badRequest,
      message: `no handler for service "${head.service}" and method "${name}"`
    }
  }
  const { arg3 } = reader
  const request = decode(arg3, config.limits.maxRequestBytes)
  if (request instanceof WireFault) return { kind: "error-frame", code: ErrorCode.badRequest, message: request.message }
  if (request instanceof TrailingBytes) return { kind: "silence", message: "bytes after the struct" }
  const call: ServerCall = {
    connection,
    sequence: config.nextSequence(),
    id,
    method: name.slice(serviceName.length + 2),
    ttlMillis: head.ttlMillis,
    headers: head.headers,
    checksumType,
    requestBytes: arg3.length,
    request
  }
  const proceed = Effect.suspend(() => answerOf(config, request)).pipe(
    Effect.catch((error) => Effect.succeed(declaredOutcome(error))),
    Effect.catchCause(unexpected)
  )
  return {
    kind: "call",
    call,
    answer: Effect.catchCause(Effect.suspend(() => config.intercept(call, proceed)), unexpected)
  }
}
