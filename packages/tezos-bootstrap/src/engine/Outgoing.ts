/** What the engine says, as messages of the wire (specs: chain bootstrap 1.8, 1.9, 3.2). Never one that some node would not decode. */
import type { HeaderFacts, LocatorSource, Outgoing, Reply } from "@peerstrap/chain-bootstrap"
import {
  buildLocator,
  buildPaths,
  decodeHash,
  decodeHeader,
  decodeOperationList,
  encodePeerMessage,
  type HeaderFields,
  isPoint,
  Limits,
  Malformed,
  type PeerMessage
} from "@peerstrap/tezos-wire"
import { listHashes } from "./OperationList.ts"
import { blockHash, type PeerContext } from "./PeerContext.ts"

/** Every CurrentHead that we send carries this: we take part in no mempool, and some peers drop whoever sends one. */
const emptyMempool = { knownValid: [], pending: [] } as const

const fieldsOf = ({ bytes, id }: HeaderFacts): HeaderFields => {
  const fields = decodeHeader(bytes)
  if (fields instanceof Malformed) throw new RangeError(`the header of ${id} cannot be decoded: ${fields.message}`)
  return fields
}

/** An empty node that knows no header of genesis has none to send. */
const hasHeader = ({ bytes }: HeaderFacts): boolean => bytes.length > 0

const branch = (context: PeerContext, { head, idAt, lowestLevel }: LocatorSource): PeerMessage => ({
  _tag: "CurrentBranch",
  chainId: context.chainId,
  header: fieldsOf(head),
  history: buildLocator(context.digests, {
    sender: context.ownId,
    receiver: context.peerId,
    headHash: blockHash(head.id),
    headLevel: head.level,
    lowestLevel,
    hashAt: (level) => blockHash(idAt(level))
  })
})

/** Units are asked for one after the other, mostly all of a block: their paths are made once. */
const pathsOf = new WeakMap<ReadonlyArray<Uint8Array>, ReadonlyArray<Uint8Array>>()

const paths = ({ digests }: PeerContext, units: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> | undefined => {
  const made = pathsOf.get(units)
  if (made !== undefined) return made
  const hashes = units.length <= Limits.maxPasses ? listHashes(digests, units) : "too many"
  if (typeof hashes === "string") return undefined
  const fresh = buildPaths(digests, hashes)
  pathsOf.set(units, fresh)
  return fresh
}

const unit = (context: PeerContext, reply: Extract<Reply, { readonly kind: "unit" }>): PeerMessage | undefined => {
  const body = reply.units[reply.unit]
  const path = paths(context, reply.units)?.[reply.unit]
  const operations = body === undefined ? undefined : decodeOperationList(body)
  if (path === undefined || operations === undefined || operations instanceof Malformed) return undefined
  // The few bytes between what is read and what every node reads: silence is better than a message that ends the session.
  if (operations.some(({ length }) => length > Limits.maxWrittenOperationBytes)) return undefined
  return { _tag: "OperationsForBlocks", block: blockHash(reply.block), pass: reply.unit, path, operations }
}

const swap = (_tag: "SwapRequest" | "SwapAck", point: string, id: string): PeerMessage | undefined => {
  const peerId = decodeHash("peer", id)
  return isPoint(point) && peerId instanceof Uint8Array ? { _tag, point, peerId } : undefined
}

/** The message, or undefined where there is nothing that this peer could be told. */
export const messageOf = (context: PeerContext, outgoing: Outgoing): PeerMessage | undefined => {
  const { ancestors, chainId } = context
  switch (outgoing.kind) {
    case "get-branch":
      return { _tag: "GetCurrentBranch", chainId }
    case "get-head":
      return { _tag: "GetCurrentHead", chainId }
    case "get-headers":
      return outgoing.ids.length === 0 ? undefined : { _tag: "GetBlockHeaders", hashes: outgoing.ids.map(blockHash) }
    case "get-ancestor":
      return ancestors
        ? { _tag: "GetPredecessorHeader", block: blockHash(outgoing.of), offset: outgoing.offset }
        : undefined
    case "get-units":
      return outgoing.items.length === 0
        ? undefined
        : {
          _tag: "GetOperationsForBlocks",
          items: outgoing.items.map(({ block, unit }) => ({ block: blockHash(block), pass: unit }))
        }
    case "get-peers":
      return { _tag: "Bootstrap" }
    case "swap-request":
      return swap("SwapRequest", outgoing.point, outgoing.id)
    case "branch":
      return hasHeader(outgoing.chain.head) ? branch(context, outgoing.chain) : undefined
    case "head":
      return hasHeader(outgoing.header)
        ? { _tag: "CurrentHead", chainId, header: fieldsOf(outgoing.header), mempool: emptyMempool }
        : undefined
    case "header":
      return { _tag: "BlockHeader", header: fieldsOf(outgoing.header) }
    case "ancestor":
      return ancestors
        ? {
          _tag: "PredecessorHeader",
          block: blockHash(outgoing.of),
          offset: outgoing.offset,
          header: fieldsOf(outgoing.header)
        }
        : undefined
    case "unit":
      return unit(context, outgoing)
    case "peers":
      return { _tag: "Advertise", points: outgoing.points.filter(isPoint).slice(0, Limits.maxPoints) }
    case "swap-ack":
      return swap("SwapAck", outgoing.point, outgoing.id)
  }
}

/** Frames without their sizes (u16 tag ‖ body) of all that can be said, in order. */
export const sendFrames = (context: PeerContext, outgoing: ReadonlyArray<Outgoing>): ReadonlyArray<Uint8Array> => {
  const frames: Array<Uint8Array> = []
  for (const each of outgoing) {
    const message = messageOf(context, each)
    if (message !== undefined) frames.push(encodePeerMessage(message))
  }
  return frames
}
