/** Reads the messages of peers (specs: chain bootstrap 1.8). As tolerant as Octez, with every limit that Octez enforces. */
import { Limits } from "../contract/Limits.ts"
import type { Malformed } from "../contract/Malformed.ts"
import {
  type BlockPass,
  type Mempool,
  type MessageName,
  MessageTags,
  type Operation,
  type OperationsForBlocks,
  type PeerMessage,
  type Protocol,
  type ProtocolComponent
} from "../contract/Messages.ts"
import { readHeader } from "./BlockHeader.ts"
import { readPath } from "./MerklePath.ts"
import { readOperationList } from "./Operations.ts"
import { type Reader, reading } from "./Reader.ts"

const readPoints = (reader: Reader): ReadonlyArray<string> => {
  const points: Array<string> = []
  while (reader.left > 0) {
    if (points.length === Limits.maxPoints) reader.fail(`more than ${Limits.maxPoints} points`)
    points.push(reader.text(Limits.maxPointBytes, "point"))
  }
  return points
}

const readSizedHeader = (reader: Reader) => {
  const outer = reader.enter(reader.length(Limits.maxHeaderBytes, "header"))
  const header = readHeader(reader)
  reader.leave(outer, "header")
  return header
}

const readHistory = (reader: Reader) => reader.views(32, Limits.maxHistoryEntries, "history entries")

/** A list that is the whole message: its length must reach the end. */
const readSizedHashes = (reader: Reader, maxCount: number, field: string): ReadonlyArray<Uint8Array> => {
  const outer = reader.enter(reader.length(reader.left, field))
  const hashes = reader.views(32, maxCount, field)
  reader.leave(outer, field)
  return hashes
}

/** The pending hashes stand in two lengths, one around the other. */
const readMempool = (reader: Reader): Mempool => {
  const max = Limits.maxMempoolOperations
  const knownValid = readSizedHashes(reader, max, "known valid operations")
  const outer = reader.enter(reader.length(reader.left, "pending operations"))
  const pending = readSizedHashes(reader, max - knownValid.length, "pending operations after the known valid ones")
  reader.leave(outer, "pending operations")
  return { knownValid, pending }
}

const readBlockPass = (reader: Reader): BlockPass => {
  const block = reader.view(32, "block hash")
  const at = reader.position
  const pass = reader.i8("pass")
  if (pass < 0) reader.fail(`pass ${pass} is negative`, at)
  return { block, pass }
}

const readBlockPasses = (reader: Reader): ReadonlyArray<BlockPass> => {
  const outer = reader.enter(reader.length(reader.left, "block passes"))
  const count = reader.countTo(reader.end, 33, Limits.maxRequestItems, "block passes")
  const items: Array<BlockPass> = []
  for (let i = 0; i < count; i++) items.push(readBlockPass(reader))
  reader.leave(outer, "block passes")
  return items
}

const readComponent = (reader: Reader): ProtocolComponent => {
  const field = (name: string) => reader.view(reader.length(Limits.maxProtocolBytes, name), name)
  return {
    name: reader.text(Limits.maxProtocolBytes, "component name"),
    interface: reader.bool("presence of an interface") ? field("interface") : undefined,
    implementation: field("implementation")
  }
}

const readProtocol = (reader: Reader): Protocol => {
  if (reader.left > Limits.maxProtocolBytes) {
    reader.fail(`a protocol of ${reader.left} bytes, the limit is ${Limits.maxProtocolBytes}`)
  }
  const environmentVersion = reader.u16("environment version")
  const outer = reader.enter(reader.length(Limits.maxProtocolBytes, "components"))
  const components: Array<ProtocolComponent> = []
  while (reader.left > 0) {
    if (components.length === Limits.maxProtocolComponents) {
      reader.fail(`more than ${Limits.maxProtocolComponents} components`)
    }
    components.push(readComponent(reader))
  }
  reader.leave(outer, "components")
  return { _tag: "Protocol", environmentVersion, components }
}

const readOperation = (reader: Reader): Operation => {
  const { left } = reader
  if (left < 32 || left > Limits.maxOperationBytes) {
    reader.fail(`an operation of ${left} bytes, not 32 to ${Limits.maxOperationBytes}`)
  }
  return { _tag: "Operation", operation: reader.rest() }
}

const readOperationsForBlocks = (reader: Reader): OperationsForBlocks => {
  const { block, pass } = readBlockPass(reader)
  const path = readPath(reader)
  return { _tag: "OperationsForBlocks", block, pass, path, operations: readOperationList(reader) }
}

const readChainId = (reader: Reader) => reader.view(4, "chain id")

const readSwap = <Name extends "SwapRequest" | "SwapAck">(_tag: Name) => (reader: Reader) => ({
  _tag,
  point: reader.text(Limits.maxPointBytes, "point"),
  peerId: reader.view(16, "peer id")
})

const readAboutChain =
  <Name extends "GetCurrentBranch" | "Deactivate" | "GetCurrentHead" | "GetCheckpoint">(_tag: Name) =>
  (reader: Reader) => ({ _tag, chainId: readChainId(reader) })

const readGet =
  <Name extends "GetBlockHeaders" | "GetOperations" | "GetProtocols">(_tag: Name) => (reader: Reader) => ({
    _tag,
    hashes: readSizedHashes(reader, Limits.maxRequestItems, "hashes")
  })

/** Fields are read in the order in which they are written here. */
const readers: { readonly [Name in MessageName]: (reader: Reader) => Extract<PeerMessage, { readonly _tag: Name }> } = {
  Disconnect: () => ({ _tag: "Disconnect" }),
  Bootstrap: () => ({ _tag: "Bootstrap" }),
  Advertise: (reader) => ({ _tag: "Advertise", points: readPoints(reader) }),
  SwapRequest: readSwap("SwapRequest"),
  SwapAck: readSwap("SwapAck"),
  GetCurrentBranch: readAboutChain("GetCurrentBranch"),
  CurrentBranch: (reader) => ({
    _tag: "CurrentBranch",
    chainId: readChainId(reader),
    header: readSizedHeader(reader),
    history: readHistory(reader)
  }),
  Deactivate: readAboutChain("Deactivate"),
  GetCurrentHead: readAboutChain("GetCurrentHead"),
  CurrentHead: (reader) => ({
    _tag: "CurrentHead",
    chainId: readChainId(reader),
    header: readSizedHeader(reader),
    mempool: readMempool(reader)
  }),
  GetBlockHeaders: readGet("GetBlockHeaders"),
  BlockHeader: (reader) => ({ _tag: "BlockHeader", header: readHeader(reader) }),
  GetOperations: readGet("GetOperations"),
  Operation: readOperation,
  GetProtocols: readGet("GetProtocols"),
  Protocol: readProtocol,
  GetOperationsForBlocks: (reader) => ({ _tag: "GetOperationsForBlocks", items: readBlockPasses(reader) }),
  OperationsForBlocks: readOperationsForBlocks,
  GetCheckpoint: readAboutChain("GetCheckpoint"),
  Checkpoint: (reader) => ({ _tag: "Checkpoint", chainId: readChainId(reader), header: readHeader(reader) }),
  GetProtocolBranch: (reader) => ({
    _tag: "GetProtocolBranch",
    chainId: readChainId(reader),
    proto: reader.u8("protocol level")
  }),
  ProtocolBranch: (reader) => ({
    _tag: "ProtocolBranch",
    chainId: readChainId(reader),
    proto: reader.u8("protocol level"),
    header: readSizedHeader(reader),
    history: readHistory(reader)
  }),
  GetPredecessorHeader: (reader) => ({
    _tag: "GetPredecessorHeader",
    block: reader.view(32, "block hash"),
    offset: reader.i32("offset")
  }),
  PredecessorHeader: (reader) => ({
    _tag: "PredecessorHeader",
    block: reader.view(32, "block hash"),
    offset: reader.i32("offset"),
    header: readHeader(reader)
  })
}

interface TaggedReader {
  readonly name: string
  readonly read: (reader: Reader) => PeerMessage
}

const byTag: Array<TaggedReader | undefined> = []
for (const [name, tag] of Object.entries(MessageTags)) byTag[tag] = { name, read: readers[name as MessageName] }

const readMessage = (reader: Reader): PeerMessage => {
  if (reader.end > Limits.maxFrameBytes) {
    reader.fail(`a message of ${reader.end} bytes, the limit is ${Limits.maxFrameBytes}`)
  }
  const tag = reader.u16("message tag")
  const tagged = byTag[tag]
  if (tagged === undefined) return reader.fail(`no message has the tag 0x${tag.toString(16).padStart(4, "0")}`, 0)
  reader.what = tagged.name
  return tagged.read(reader)
}

/**
 * One message from u16 tag ‖ body, that is, a frame without its u32 size. Arrays in the message are views on `body`; offsets of errors count
 * from the tag. Passes below zero, unknown tags and bytes behind the message are errors.
 */
export const decodePeerMessage = (body: Uint8Array): PeerMessage | Malformed => reading("message", body, readMessage)
