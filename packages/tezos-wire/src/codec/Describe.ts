/** Wire bytes as plain JSON-able values with hashes in their text form: for people who look at captures and stores. */
import type { HeaderFields } from "../contract/BlockHeader.ts"
import type { Digests } from "../contract/Crypto.ts"
import type { HashKind } from "../contract/Hashes.ts"
import { Limits } from "../contract/Limits.ts"
import { Malformed } from "../contract/Malformed.ts"
import type { PeerMessage } from "../contract/Messages.ts"
import { encodeHash } from "./Base58Check.ts"
import { decodeHeader, headerHash } from "./BlockHeader.ts"
import { toHex } from "./HexText.ts"
import { pathPosition } from "./MerklePath.ts"
import { decodeOperationList, operationHash, operationListHash } from "./Operations.ts"
import { decodePeerMessage } from "./PeerMessageReader.ts"
import { protocolFields } from "./ProtocolData.ts"

/** What JSON can say. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** `frame`: u32 size ‖ tag ‖ body; `message`: tag ‖ body; `header`: a block header; `operations`: u32 length ‖ branch ‖ data, repeated. */
export const DescribedKinds = ["frame", "message", "header", "operations"] as const

/** A kind of bytes that can be described. */
export type DescribedKind = typeof DescribedKinds[number]

type Fields = { readonly [key: string]: Json }

const texts = (kind: HashKind, hashes: ReadonlyArray<Uint8Array>): Json => hashes.map((hash) => encodeHash(kind, hash))

/** ISO 8601 where the calendar reaches that far. */
const timeText = (seconds: number): Json => Math.abs(seconds) <= 8.64e12 ? new Date(seconds * 1000).toISOString() : null

const protocolJson = (header: HeaderFields): Fields => {
  const fields = protocolFields(header)
  switch (fields.era) {
    case "tenderbake":
      return {
        era: fields.era,
        round: fields.round,
        payload_hash: encodeHash("payload", fields.payloadHash),
        payload_round: fields.payloadRound,
        seed_nonce_hash: fields.seedNonceHash === undefined ? null : toHex(fields.seedNonceHash)
      }
    case "emmy":
      return {
        era: fields.era,
        priority: fields.priority,
        seed_nonce_hash: fields.seedNonceHash === undefined ? null : toHex(fields.seedNonceHash)
      }
    default:
      return { era: fields.era }
  }
}

const headerJson = (header: HeaderFields, digests: Digests | undefined): Fields => ({
  ...(digests === undefined ? {} : { hash: encodeHash("block", headerHash(digests, header.raw)) }),
  level: header.level,
  proto: header.proto,
  predecessor: encodeHash("block", header.predecessor),
  timestamp: header.timestamp,
  time: timeText(header.timestamp),
  validation_pass: header.validationPass,
  operations_hash: encodeHash("operationListList", header.operationsHash),
  fitness: header.fitness.map(toHex),
  context: encodeHash("context", header.context),
  protocol_data: toHex(header.protocolData),
  protocol: protocolJson(header)
})

const operationJson = (operation: Uint8Array, digests: Digests | undefined): Fields => ({
  ...(digests === undefined ? {} : { hash: encodeHash("operation", operationHash(digests, operation)) }),
  branch: encodeHash("block", operation.subarray(0, 32)),
  data: toHex(operation.subarray(32))
})

const operationsJson = (operations: ReadonlyArray<Uint8Array>, digests: Digests | undefined): Fields => ({
  ...(digests === undefined
    ? {}
    : { operation_list_hash: encodeHash("operationList", operationListHash(digests, operations)) }),
  operations: operations.map((operation) => operationJson(operation, digests))
})

/** What the fields of a message with hashes are hashes of. */
const hashKinds = { GetBlockHeaders: "block", GetOperations: "operation", GetProtocols: "protocol" } as const

const messageFields = (message: PeerMessage, digests: Digests | undefined): Fields => {
  switch (message._tag) {
    case "Disconnect":
    case "Bootstrap":
      return {}
    case "Advertise":
      return { points: message.points }
    case "SwapRequest":
    case "SwapAck":
      return { point: message.point, peer_id: encodeHash("peer", message.peerId) }
    case "GetBlockHeaders":
    case "GetOperations":
    case "GetProtocols":
      return { hashes: texts(hashKinds[message._tag], message.hashes) }
    case "BlockHeader":
      return { header: headerJson(message.header, digests) }
    case "Operation":
      return operationJson(message.operation, digests)
    case "Protocol":
      return {
        environment_version: message.environmentVersion,
        components: message.components.map(({ implementation, interface: declared, name }) => ({
          name,
          interface_bytes: declared?.length ?? null,
          implementation_bytes: implementation.length
        }))
      }
    case "GetOperationsForBlocks":
      return { items: message.items.map(({ block, pass }) => ({ block: encodeHash("block", block), pass })) }
    case "OperationsForBlocks":
      return {
        block: encodeHash("block", message.block),
        pass: message.pass,
        path: toHex(message.path),
        path_position: pathPosition(message.path)?.position ?? null,
        ...operationsJson(message.operations, digests)
      }
    case "GetPredecessorHeader":
    case "PredecessorHeader":
      return {
        block: encodeHash("block", message.block),
        offset: message.offset,
        ...(message._tag === "PredecessorHeader" ? { header: headerJson(message.header, digests) } : {})
      }
    default:
      return chainFields(message, digests)
  }
}

const chainFields = (
  message: Extract<PeerMessage, { readonly chainId: Uint8Array }>,
  digests: Digests | undefined
): Fields => ({
  chain_id: encodeHash("chain", message.chainId),
  ...("proto" in message ? { proto: message.proto } : {}),
  ...("header" in message ? { header: headerJson(message.header, digests) } : {}),
  ...("history" in message ? { history: texts("block", message.history) } : {}),
  ...("mempool" in message
    ? {
      known_valid: texts("operation", message.mempool.knownValid),
      pending: texts("operation", message.mempool.pending)
    }
    : {})
})

const describeMessage = (body: Uint8Array, digests: Digests | undefined): Fields | Malformed => {
  const message = decodePeerMessage(body)
  return message instanceof Malformed ? message : { message: message._tag, ...messageFields(message, digests) }
}

const frameFault = (offset: number, message: string) => new Malformed({ what: "frame", offset, message })

const describeFrame = (bytes: Uint8Array, digests: Digests | undefined): Fields | Malformed => {
  if (bytes.length < 4) return frameFault(bytes.length, `${bytes.length} bytes, a frame begins with 4 bytes of size`)
  const size = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
  if (size > Limits.maxFrameBytes) {
    return frameFault(0, `a frame of ${size} bytes, the limit is ${Limits.maxFrameBytes}`)
  }
  if (size !== bytes.length - 4) return frameFault(0, `the frame says ${size} bytes, ${bytes.length - 4} follow`)
  const described = describeMessage(bytes.subarray(4), digests)
  if (!(described instanceof Malformed)) return described
  const { message, offset, what } = described
  return new Malformed({ what, offset: offset + 4, message })
}

/**
 * Decodes bytes of a kind into a JSON-able value; offsets of errors count from the first byte given. With `digests` also hashes of headers,
 * operations and lists are told. Keys are in snake case, as the protocol's own JSON has them.
 */
export const decodeToJson = (kind: DescribedKind, bytes: Uint8Array, digests?: Digests): Json | Malformed => {
  switch (kind) {
    case "frame":
      return describeFrame(bytes, digests)
    case "message":
      return describeMessage(bytes, digests)
    case "header": {
      const header = decodeHeader(bytes)
      return header instanceof Malformed ? header : headerJson(header, digests)
    }
    case "operations": {
      const operations = decodeOperationList(bytes)
      return operations instanceof Malformed ? operations : operationsJson(operations, digests)
    }
  }
}
