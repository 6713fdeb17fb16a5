/**
 * Writes the messages of peers (specs: chain bootstrap 1.8). Strict: what some node would refuse is a defect of the caller and throws a
 * RangeError that says what.
 */
import type { HeaderFields } from "../contract/BlockHeader.ts"
import { Limits } from "../contract/Limits.ts"
import {
  type BlockPass,
  type Mempool,
  MessageTags,
  type OperationsForBlocks,
  type PeerMessage,
  type Protocol
} from "../contract/Messages.ts"
import { leastHeaderBytes } from "./BlockHeader.ts"
import { pathPosition } from "./MerklePath.ts"
import { checkWrittenOperation, operationListBytes, writeOperationList } from "./Operations.ts"
import { demand, Writer } from "./Writer.ts"

const writePoint = (writer: Writer, point: string): void => {
  demand(
    point.length <= Limits.maxPointBytes && /^[\x21-\x7e]*$/.test(point),
    () =>
      `point ${JSON.stringify(point.slice(0, 64))} is not at most ${Limits.maxPointBytes} printable ASCII characters`
  )
  writer.prefixed(Buffer.from(point, "latin1"), "point")
}

const writePoints = (writer: Writer, points: ReadonlyArray<string>): void => {
  demand(points.length <= Limits.maxPoints, () => `${points.length} points, the limit is ${Limits.maxPoints}`)
  for (const point of points) writePoint(writer, point)
}

const writeHeader = (writer: Writer, { raw }: HeaderFields): void => {
  demand(
    raw.length >= leastHeaderBytes && raw.length <= Limits.maxHeaderBytes,
    () => `a header of ${raw.length} bytes, not ${leastHeaderBytes} to ${Limits.maxHeaderBytes}`
  )
  writer.raw(raw)
}

const writeSizedHeader = (writer: Writer, header: HeaderFields): void =>
  writer.sized(() => writeHeader(writer, header), "header")

const writeHashes = (writer: Writer, hashes: ReadonlyArray<Uint8Array>, maxCount: number, field: string): void => {
  demand(hashes.length <= maxCount, () => `${hashes.length} ${field}, the limit is ${maxCount}`)
  for (const hash of hashes) writer.fixed(hash, 32, field)
}

const writeHistory = (writer: Writer, history: ReadonlyArray<Uint8Array>): void =>
  writeHashes(writer, history, Limits.maxHistoryEntries, "history entries")

const writeMempool = (writer: Writer, { knownValid, pending }: Mempool): void => {
  const max = Limits.maxMempoolOperations
  const hashes = (some: ReadonlyArray<Uint8Array>, count: number) =>
    writer.sized(() => writeHashes(writer, some, count, "mempool operations"), "mempool")
  hashes(knownValid, max)
  writer.sized(() => hashes(pending, max - knownValid.length), "mempool")
}

const writeBlockPass = (writer: Writer, { block, pass }: BlockPass): void => {
  writer.fixed(block, 32, "block hash")
  demand(pass <= 127, () => `pass is ${pass}, not at most 127`)
  writer.u8(pass, "pass")
}

const writeBlockPasses = (writer: Writer, items: ReadonlyArray<BlockPass>): void => {
  demand(
    items.length <= Limits.maxRequestItems,
    () => `${items.length} block passes, the limit is ${Limits.maxRequestItems}`
  )
  writer.sized(() => items.forEach((item) => writeBlockPass(writer, item)), "block passes")
}

const writeProtocol = (writer: Writer, { components, environmentVersion }: Protocol): void => {
  const start = writer.length
  demand(
    components.length <= Limits.maxProtocolComponents,
    () => `${components.length} components, the limit is ${Limits.maxProtocolComponents}`
  )
  writer.u16(environmentVersion, "environment version")
  writer.sized(() => {
    for (const component of components) {
      const name = Buffer.from(component.name, "latin1")
      demand(name.toString("latin1") === component.name, () => `component name ${component.name} has wide characters`)
      writer.prefixed(name, "component name")
      writer.u8(component.interface === undefined ? 0x00 : 0xff, "presence of an interface")
      if (component.interface !== undefined) writer.prefixed(component.interface, "interface")
      writer.prefixed(component.implementation, "implementation")
    }
  }, "components")
  const size = writer.length - start
  demand(size <= Limits.maxProtocolBytes, () => `a protocol of ${size} bytes, the limit is ${Limits.maxProtocolBytes}`)
}

const writeOperationsForBlocks = (writer: Writer, message: OperationsForBlocks): void => {
  writeBlockPass(writer, message)
  demand(pathPosition(message.path) !== undefined, () => "the path is malformed")
  writer.raw(message.path)
  writeOperationList(writer, message.operations)
}

const writeBody = (writer: Writer, message: PeerMessage): void => {
  switch (message._tag) {
    case "Disconnect":
    case "Bootstrap":
      return
    case "Advertise":
      return writePoints(writer, message.points)
    case "SwapRequest":
    case "SwapAck":
      writePoint(writer, message.point)
      return writer.fixed(message.peerId, 16, "peer id")
    case "GetBlockHeaders":
    case "GetOperations":
    case "GetProtocols":
      return writer.sized(() => writeHashes(writer, message.hashes, Limits.maxRequestItems, "hashes"), "hashes")
    case "BlockHeader":
      return writeHeader(writer, message.header)
    case "Operation":
      checkWrittenOperation(message.operation)
      return writer.raw(message.operation)
    case "Protocol":
      return writeProtocol(writer, message)
    case "GetOperationsForBlocks":
      return writeBlockPasses(writer, message.items)
    case "OperationsForBlocks":
      return writeOperationsForBlocks(writer, message)
    case "GetPredecessorHeader":
    case "PredecessorHeader":
      writer.fixed(message.block, 32, "block hash")
      writer.i32(message.offset, "offset")
      if (message._tag === "PredecessorHeader") writeHeader(writer, message.header)
      return
    default:
      return writeChainBody(writer, message)
  }
}

type ChainMessage = Extract<PeerMessage, { readonly chainId: Uint8Array }>

/** Messages that begin with a chain id. */
const writeChainBody = (writer: Writer, message: ChainMessage): void => {
  writer.fixed(message.chainId, 4, "chain id")
  switch (message._tag) {
    case "CurrentBranch":
      writeSizedHeader(writer, message.header)
      return writeHistory(writer, message.history)
    case "CurrentHead":
      writeSizedHeader(writer, message.header)
      return writeMempool(writer, message.mempool)
    case "Checkpoint":
      return writeHeader(writer, message.header)
    case "GetProtocolBranch":
      return writer.u8(message.proto, "protocol level")
    case "ProtocolBranch":
      writer.u8(message.proto, "protocol level")
      writeSizedHeader(writer, message.header)
      return writeHistory(writer, message.history)
  }
}

/** At least what the message needs in most cases, so that nothing is copied twice. */
const capacityFor = (message: PeerMessage): number => {
  const fixed = 64
  switch (message._tag) {
    case "OperationsForBlocks":
      return fixed + message.path.length + operationListBytes(message.operations)
    case "Operation":
      return fixed + message.operation.length
    case "CurrentBranch":
    case "ProtocolBranch":
      return fixed + message.header.raw.length + 32 * message.history.length
    case "BlockHeader":
    case "PredecessorHeader":
    case "Checkpoint":
    case "CurrentHead":
      return fixed + message.header.raw.length
    case "GetOperationsForBlocks":
      return fixed + 33 * message.items.length
    case "GetBlockHeaders":
    case "GetOperations":
    case "GetProtocols":
      return fixed + 32 * message.hashes.length
    default:
      return fixed
  }
}

/** One message as u16 tag ‖ body, fresh. Throws a RangeError for what some node would refuse. */
export const encodePeerMessage = (message: PeerMessage): Uint8Array => {
  const writer = new Writer(capacityFor(message))
  writer.u16(MessageTags[message._tag], "message tag")
  writeBody(writer, message)
  return writer.finish()
}

/** One message as it goes into encrypted chunks, fresh: u32 size ‖ u16 tag ‖ body. Throws as `encodePeerMessage`. */
export const encodeFrame = (message: PeerMessage): Uint8Array => {
  const writer = new Writer(capacityFor(message))
  writer.sized(() => {
    writer.u16(MessageTags[message._tag], "message tag")
    writeBody(writer, message)
  }, "frame")
  return writer.finish()
}
