/** Calls of the `thrift` arg scheme: method name, application headers, struct (specs: peer streaming 1.10, 1.13). */
import { clientHeaders, serverHeaders, type TransportHeaders } from "./CallHead.ts"
import { ChecksumType } from "./Checksum.ts"
import { type EncodedMessage, encodeMessage, encodeMessagePieces, type Message } from "./Message.ts"

/** Methods of M3DB's node service that this package speaks. */
export const Method = {
  health: "Node::health",
  bootstrapped: "Node::bootstrapped",
  bootstrappedInPlacementOrNoPlacement: "Node::bootstrappedInPlacementOrNoPlacement",
  fetchBlocksMetadata: "Node::fetchBlocksMetadataRawV2",
  fetchBlocks: "Node::fetchBlocksRaw"
} as const

/** The TChannel service that answers M3DB's node calls. */
export const serviceName = "Node"

/** Methods without a request struct. Any other needs field 1, or the peer's whole process crashes. */
const withoutRequest: ReadonlySet<string> = new Set([
  Method.health,
  Method.bootstrapped,
  Method.bootstrappedInPlacementOrNoPlacement,
  "Node::getPersistRateLimit",
  "Node::getWriteNewSeriesAsync",
  "Node::getWriteNewSeriesBackoffDuration",
  "Node::getWriteNewSeriesLimitPerShardPerSecond"
])

/** arg2 without any application header. */
const noHeaders = new Uint8Array(2)

/** A request as it goes over the wire: method, Thrift struct (`arg3`), deadline. */
export interface CallRequest {
  readonly id: number
  readonly method: string
  readonly arg3: Uint8Array
  /** Milliseconds, above 0. */
  readonly ttlMillis: number
  readonly checksumType?: ChecksumType
  readonly service?: string
  readonly headers?: TransportHeaders
}

const requestMessage = (call: CallRequest): Message => {
  const { arg3 } = call
  if (!withoutRequest.has(call.method) && !(arg3.length > 3 && arg3[0] === 12 && arg3[1] === 0 && arg3[2] === 1)) {
    throw new Error(`${call.method} takes a request, but its arguments lack field 1: that would crash the peer`)
  }
  return {
    id: call.id,
    head: {
      kind: "request",
      ttlMillis: call.ttlMillis,
      service: call.service ?? serviceName,
      headers: call.headers ?? clientHeaders
    },
    checksumType: call.checksumType ?? ChecksumType.crc32,
    arg1: Buffer.from(call.method, "utf8"),
    arg2: noHeaders,
    arg3
  }
}

/** The frames of a request. Throws on calls that would crash or hang a real node: those are defects of ours. */
export const encodeCallRequest = (call: CallRequest, maxFrameBytes?: number): Array<Uint8Array> =>
  encodeMessage(requestMessage(call), maxFrameBytes)

/** The same in pieces: see `encodeMessagePieces`. */
export const encodeCallPieces = (call: CallRequest, maxFrameBytes?: number): EncodedMessage =>
  encodeMessagePieces(requestMessage(call), maxFrameBytes)

/** A response as it goes over the wire: code and Thrift struct (`arg3`). */
export interface CallResponse {
  readonly id: number
  /** 0 for field 0 of the result, 1 for a declared exception in field 1. */
  readonly code: 0 | 1
  readonly arg3: Uint8Array
  /** The type that the request used. */
  readonly checksumType: ChecksumType
  readonly headers?: TransportHeaders
}

/** The frames of an answer. */
export const encodeCallResponse = (call: CallResponse, maxFrameBytes?: number): Array<Uint8Array> =>
  encodeMessage({
    id: call.id,
    head: { kind: "response", code: call.code, headers: call.headers ?? serverHeaders },
    checksumType: call.checksumType,
    arg1: new Uint8Array(0),
    arg2: noHeaders,
    arg3: call.arg3
  }, maxFrameBytes)
