/** What a peer's message says in the words of the engine (specs: chain bootstrap 1.8, 1.9, 3.3). All bytes that are kept are copied. */
import type { Answer, BranchEntry, Incoming, Request } from "@peerstrap/chain-bootstrap"
import {
  type CurrentBranch,
  decodePeerMessage,
  encodeHash,
  fromHex,
  type HeaderFields,
  isPoint,
  locatorFault,
  Malformed,
  type PeerMessage,
  readLocator,
  toHex
} from "@peerstrap/tezos-wire"
import { joinOperations } from "./OperationList.ts"
import type { PeerContext } from "./PeerContext.ts"

/** A message that ends the session: in order, or with the proof that no correct node sends it. */
export interface Ending {
  readonly kind: "farewell" | "malformed"
  readonly message: string
}

export type Translated = { readonly incoming: Incoming } | { readonly ending: Ending }

const say = (incoming: Incoming): Translated => ({ incoming })
const ask = (request: Request): Translated => ({ incoming: { kind: "request", request } })
const ignored = (what: string): Translated => ({ incoming: { kind: "ignored", what } })
const malformed = (message: string): Translated => ({ ending: { kind: "malformed", message } })

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const hashBytes = 32

const bogus = (what: "branch" | "head", detail: string): Answer => ({ kind: "bogus", what, detail })

const branch = (context: PeerContext, message: CurrentBranch): Answer => {
  const { digests, ownId, peerId, rules } = context
  const head = rules.factsOf(message.header)
  if (typeof head === "string") return bogus("branch", `the head: ${head}`)
  const headHash = fromHex(head.id, hashBytes) as Uint8Array
  const history = readLocator(digests, {
    sender: peerId,
    receiver: ownId,
    headHash,
    headLevel: head.level,
    history: message.history
  })
  const fault = locatorFault(message.header.predecessor, history) ??
    (message.history.some((hash) => same(hash, headHash)) ? "the head stands among its own ancestors" : undefined)
  if (fault !== undefined) {
    return bogus("branch", `the locator below ${rules.displayId(head.id)} (level ${head.level}): ${fault}`)
  }
  const entries: Array<BranchEntry> = [{ id: head.id, level: head.level, exact: true }]
  for (const { exact, hash, level } of history) entries.push({ id: toHex(hash), level, exact })
  return { kind: "branch", head, entries }
}

const head = (context: PeerContext, header: HeaderFields): Answer => {
  const facts = context.rules.factsOf(header)
  return typeof facts === "string" ? bogus("head", facts) : { kind: "head", header: facts }
}

/** Messages about another chain are no fault: test chains existed (A33). */
const aboutChain = (
  context: PeerContext,
  message: Extract<PeerMessage, { readonly chainId: Uint8Array }>
): Translated => {
  if (!same(message.chainId, context.chainId)) return say({ kind: "other-chain" })
  switch (message._tag) {
    case "GetCurrentBranch":
      return ask({ kind: "get-branch" })
    case "GetCurrentHead":
      return ask({ kind: "get-head" })
    case "CurrentBranch":
      return say(branch(context, message))
    case "CurrentHead":
      return say(head(context, message.header))
    default:
      return ignored(message._tag)
  }
}

const swap = (kind: "swap-request" | "swap-ack", point: string, peerId: Uint8Array): Translated => {
  if (!isPoint(point)) return ignored(`a ${kind} with a point that is none`)
  const id = encodeHash("peer", peerId)
  return kind === "swap-request" ? ask({ kind, point, id }) : say({ kind, point, id })
}

const header = (
  { rules }: PeerContext,
  message: Extract<PeerMessage, { readonly _tag: "BlockHeader" | "PredecessorHeader" }>
): Translated => {
  const facts = rules.factsOf(message.header)
  if (typeof facts === "string") return malformed(`${message._tag}: ${facts}`)
  return message._tag === "BlockHeader"
    ? say({ kind: "header", header: facts })
    : say({ kind: "ancestor", of: toHex(message.block), offset: message.offset, header: facts })
}

/** In the words of the engine. Nothing of the message's bytes is kept. */
export const translate = (context: PeerContext, message: PeerMessage): Translated => {
  if ("chainId" in message) return aboutChain(context, message)
  switch (message._tag) {
    case "Disconnect":
      return { ending: { kind: "farewell", message: "the peer said Disconnect" } }
    case "Bootstrap":
      return ask({ kind: "get-peers" })
    case "Advertise":
      return say({ kind: "peers", points: message.points.filter(isPoint) })
    case "SwapRequest":
      return swap("swap-request", message.point, message.peerId)
    case "SwapAck":
      return swap("swap-ack", message.point, message.peerId)
    case "BlockHeader":
    case "PredecessorHeader":
      return header(context, message)
    case "OperationsForBlocks":
      return say({
        kind: "unit",
        block: toHex(message.block),
        unit: message.pass,
        body: joinOperations(message.operations),
        proof: new Uint8Array(message.path)
      })
    case "GetBlockHeaders":
      return message.hashes.length === 0
        ? ignored("a request for no header")
        : ask({ kind: "get-headers", ids: message.hashes.map(toHex) })
    case "GetPredecessorHeader":
      return message.offset < 0
        ? ignored("a request for a descendant")
        : ask({ kind: "get-ancestor", of: toHex(message.block), offset: message.offset })
    case "GetOperationsForBlocks":
      return message.items.length === 0
        ? ignored("a request for no operations")
        : ask({
          kind: "get-units",
          items: message.items.map(({ block, pass }) => ({ block: toHex(block), unit: pass }))
        })
    default:
      return ignored(message._tag)
  }
}

/** A frame without its size: u16 tag ‖ body. What cannot be decoded ends the session, with what and where. */
export const receiveFrame = (context: PeerContext, body: Uint8Array): Translated => {
  const message = decodePeerMessage(body)
  return message instanceof Malformed
    ? malformed(`${message.what} cannot be decoded: byte ${message.offset} of its frame: ${message.message}`)
    : translate(context, message)
}
