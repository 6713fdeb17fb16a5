/** Between the contract of a replica source and the Thrift structs of the codec. */
import { type BlocksElement as WireElement, encodeBlocksAnswer } from "../codec/BlocksCodec.ts"
import { decodeBlocksRequest } from "../codec/BlocksRequestReader.ts"
import { decodeMetadataRequest, encodeMetadataAnswer, type MetadataElement } from "../codec/MetadataCodec.ts"
import { ErrorType, RemoteError } from "../codec/RemoteError.ts"
import { checkEmptyArguments, encodeErrorAnswer } from "../codec/ResultStruct.ts"
import { ThriftCursor, ThriftType } from "../codec/Thrift.ts"
import { catchFault, WireFault } from "../codec/WireFault.ts"
import type {
  BlocksBatchRequest,
  DeclaredError,
  ListingElement,
  ListingPage,
  ListingRequest,
  SeriesBlocks,
  SeriesBlocksRequest
} from "../contract/ReplicaSource.ts"

/** A whole struct, then more bytes: a Go node does not answer that at all. (specs: peer streaming 1.7) */
export class TrailingBytes {
  readonly _tag = "TrailingBytes"
}

const trailing = new TrailingBytes()

const classify = (arg3: Uint8Array, fault: WireFault): WireFault | TrailingBytes => {
  const cursor = new ThriftCursor(arg3)
  const skipped = catchFault(() => cursor.skip(ThriftType.struct))
  return !(skipped instanceof WireFault) && cursor.position < cursor.end ? trailing : fault
}

/** Undefined when the arguments are a struct, whatever is in it. */
export const decodeEmptyArgs = (arg3: Uint8Array): WireFault | TrailingBytes | undefined => {
  const fault = checkEmptyArguments(arg3)
  return fault === undefined ? undefined : classify(arg3, fault)
}

export const decodeListingArgs = (arg3: Uint8Array, maxBytes: number): ListingRequest | WireFault | TrailingBytes => {
  const request = decodeMetadataRequest(arg3, maxBytes)
  return request instanceof WireFault ? classify(arg3, request) : { ...request, pageToken: request.pageToken }
}

export const decodeBlocksArgs = (
  arg3: Uint8Array,
  maxBytes: number
): BlocksBatchRequest | WireFault | TrailingBytes => {
  const request = decodeBlocksRequest(arg3, maxBytes)
  if (request instanceof WireFault) return classify(arg3, request)
  const { buffer, firstStart, idLength, idOffset, startHi, startLo } = request
  const elements: Array<SeriesBlocksRequest> = []
  for (let i = 0; i < request.elementCount; i++) {
    const starts: Array<bigint> = []
    for (let row = firstStart[i]!; row < firstStart[i + 1]!; row++) {
      starts.push((BigInt(startHi[row]!) << 32n) | BigInt(startLo[row]! >>> 0))
    }
    elements.push({ id: buffer.subarray(idOffset[i]!, idOffset[i]! + idLength[i]!), starts })
  }
  return { namespace: request.namespace, shard: request.shard, elements }
}

const remote = (error: DeclaredError): RemoteError =>
  new RemoteError(
    error.type === "BAD_REQUEST" ? ErrorType.badRequest : ErrorType.internalError,
    error.message,
    error.flags
  )

const listed = (element: ListingElement): MetadataElement => ({
  ...element,
  error: element.error === undefined ? undefined : remote(element.error)
})

/** The result struct of a listing page; without elements it has no field at all. */
export const encodePage = ({ elements, nextPageToken }: ListingPage): Uint8Array => {
  if (elements === undefined) return new Uint8Array(1)
  const plain = elements.every(({ error }) => error === undefined)
  // Elements without an error are already what the codec takes; copying thousands of them would cost more than encoding.
  const wire = plain ? elements as ReadonlyArray<ListingElement & { readonly error: undefined }> : elements.map(listed)
  return encodeMetadataAnswer(wire, nextPageToken)
}

const wireElement = ({ blocks, id }: SeriesBlocks): WireElement => ({
  id,
  blocks: blocks.map((block) => ({ ...block, error: block.error === undefined ? undefined : remote(block.error) }))
})

export const encodeBlocks = (elements: ReadonlyArray<SeriesBlocks>): Uint8Array => {
  const plain = elements.every(({ blocks }) => blocks.every(({ error }) => error === undefined))
  return encodeBlocksAnswer(plain ? elements as ReadonlyArray<WireElement> : elements.map(wireElement))
}

export const encodeDeclared = (error: DeclaredError): Uint8Array => encodeErrorAnswer(remote(error))
