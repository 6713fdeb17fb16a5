/**
 * The messages that peers exchange once connected, one type each (specs: chain bootstrap 1.8). Names are the protocol's.
 *
 * All byte arrays of a decoded message are views on the frame it was decoded from: whoever keeps one beyond the frame copies it.
 * Hashes have 32 bytes, peer ids 16, chain ids 4.
 */
import type { HeaderFields } from "./BlockHeader.ts"

/** The u16 tag of each message. Messages from 0x70 may be sent only when the distributed_db_version of both is at least 1. */
export const MessageTags = {
  Disconnect: 0x01,
  Bootstrap: 0x02,
  Advertise: 0x03,
  SwapRequest: 0x04,
  SwapAck: 0x05,
  GetCurrentBranch: 0x10,
  CurrentBranch: 0x11,
  Deactivate: 0x12,
  GetCurrentHead: 0x13,
  CurrentHead: 0x14,
  GetBlockHeaders: 0x20,
  BlockHeader: 0x21,
  GetOperations: 0x30,
  Operation: 0x31,
  GetProtocols: 0x40,
  Protocol: 0x41,
  GetOperationsForBlocks: 0x60,
  OperationsForBlocks: 0x61,
  GetCheckpoint: 0x70,
  Checkpoint: 0x71,
  GetProtocolBranch: 0x80,
  ProtocolBranch: 0x81,
  GetPredecessorHeader: 0x90,
  PredecessorHeader: 0x91
} as const

/** The name of a message. */
export type MessageName = keyof typeof MessageTags

/** The peer ends the connection. */
export interface Disconnect {
  readonly _tag: "Disconnect"
}

/** Asks for points of other peers. */
export interface Bootstrap {
  readonly _tag: "Bootstrap"
}

/** Points of other peers, as text: nobody has checked the syntax (`isPoint`). At most `Limits.maxPoints`. */
export interface Advertise {
  readonly _tag: "Advertise"
  readonly points: ReadonlyArray<string>
}

/** Offers a peer in exchange for one of the receiver's (`SwapRequest`), or gives that one (`SwapAck`). */
export interface Swap<Name extends "SwapRequest" | "SwapAck"> {
  readonly _tag: Name
  readonly point: string
  readonly peerId: Uint8Array
}

/** A message that says nothing but which chain it is about. */
export interface AboutChain<Name extends "GetCurrentBranch" | "Deactivate" | "GetCurrentHead" | "GetCheckpoint"> {
  readonly _tag: Name
  readonly chainId: Uint8Array
}

/** A head and its locator, newest first, without the head: see `readLocator`. */
export interface CurrentBranch {
  readonly _tag: "CurrentBranch"
  readonly chainId: Uint8Array
  readonly header: HeaderFields
  readonly history: ReadonlyArray<Uint8Array>
}

/** Operation hashes. */
export interface Mempool {
  readonly knownValid: ReadonlyArray<Uint8Array>
  readonly pending: ReadonlyArray<Uint8Array>
}

/** A peer's head and its mempool. */
export interface CurrentHead {
  readonly _tag: "CurrentHead"
  readonly chainId: Uint8Array
  readonly header: HeaderFields
  readonly mempool: Mempool
}

/** Asks for at most `Limits.maxRequestItems` blocks, operations or protocols by hash. */
export interface GetByHash<Name extends "GetBlockHeaders" | "GetOperations" | "GetProtocols"> {
  readonly _tag: Name
  readonly hashes: ReadonlyArray<Uint8Array>
}

/** One block's header, as asked for. */
export interface BlockHeader {
  readonly _tag: "BlockHeader"
  readonly header: HeaderFields
}

/** One operation, as asked for. */
export interface Operation {
  readonly _tag: "Operation"
  /** Branch (32) ‖ data; its hash is over all of it. */
  readonly operation: Uint8Array
}

/** One source file of a protocol. */
export interface ProtocolComponent {
  readonly name: string
  readonly interface: Uint8Array | undefined
  readonly implementation: Uint8Array
}

/** One protocol's sources, as asked for. */
export interface Protocol {
  readonly _tag: "Protocol"
  /** u16. */
  readonly environmentVersion: number
  readonly components: ReadonlyArray<ProtocolComponent>
}

/** One list of operations of one block. */
export interface BlockPass {
  readonly block: Uint8Array
  /** 0…127; never ask for one that the header's `validationPass` does not reach. */
  readonly pass: number
}

/** Asks for at most `Limits.maxRequestItems` lists of operations. */
export interface GetOperationsForBlocks {
  readonly _tag: "GetOperationsForBlocks"
  readonly items: ReadonlyArray<BlockPass>
}

/** One list of operations with the proof that it belongs to the block: see `verifyOperations`. */
export interface OperationsForBlocks extends BlockPass {
  readonly _tag: "OperationsForBlocks"
  /** Encoded Merkle path, well formed and at most `Limits.maxPathDepth` deep: `00`, `f0` path sibling, `0f` sibling path. */
  readonly path: Uint8Array
  /** Branch (32) ‖ data each. */
  readonly operations: ReadonlyArray<Uint8Array>
}

/** A peer's checkpoint: the header below which it does not reorganise. */
export interface Checkpoint {
  readonly _tag: "Checkpoint"
  readonly chainId: Uint8Array
  readonly header: HeaderFields
}

/** Asks for the last block of a protocol on the peer's branch. */
export interface GetProtocolBranch {
  readonly _tag: "GetProtocolBranch"
  readonly chainId: Uint8Array
  /** u8, as in a header. */
  readonly proto: number
}

/** The last block of a protocol, with a locator down from it. */
export interface ProtocolBranch {
  readonly _tag: "ProtocolBranch"
  readonly chainId: Uint8Array
  readonly proto: number
  readonly header: HeaderFields
  readonly history: ReadonlyArray<Uint8Array>
}

/** Asks for the header `offset` (i32) blocks below a block on its ancestry. */
export interface GetPredecessorHeader {
  readonly _tag: "GetPredecessorHeader"
  readonly block: Uint8Array
  readonly offset: number
}

/** The header so many blocks below another. */
export interface PredecessorHeader {
  readonly _tag: "PredecessorHeader"
  readonly block: Uint8Array
  readonly offset: number
  readonly header: HeaderFields
}

/** Any message between connected peers, told apart by `_tag`. */
export type PeerMessage =
  | Disconnect
  | Bootstrap
  | Advertise
  | Swap<"SwapRequest">
  | Swap<"SwapAck">
  | AboutChain<"GetCurrentBranch">
  | CurrentBranch
  | AboutChain<"Deactivate">
  | AboutChain<"GetCurrentHead">
  | CurrentHead
  | GetByHash<"GetBlockHeaders">
  | BlockHeader
  | GetByHash<"GetOperations">
  | Operation
  | GetByHash<"GetProtocols">
  | Protocol
  | GetOperationsForBlocks
  | OperationsForBlocks
  | AboutChain<"GetCheckpoint">
  | Checkpoint
  | GetProtocolBranch
  | ProtocolBranch
  | GetPredecessorHeader
  | PredecessorHeader
