/**
 * The rival of S8: one connection, one question at a time, hand-written on the same sessions and codecs. It asks for the branch, walks down
 * from the head by GetBlockHeaders with the one hash it knows, checks each hash, then asks for the operations from the lowest block up, ten (block,
 * pass) a message, and checks each list against its header.
 * Usage: SequentialSide.ts SWARM_FACTS_JSON
 */
import {
  type BlockPass,
  decodePeerMessage,
  encodePeerMessage,
  handshake,
  type HeaderFields,
  headerHash,
  loadCrypto,
  Malformed,
  type PeerMessage,
  type Session,
  toHex,
  verifyOperations
} from "@peerstrap/tezos-wire"
import { identityFromSeed } from "@peerstrap/tezos-wire/testing"
import { Tcp, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { startTiming, tell } from "../method/Side.ts"
import { networkOf, type SwarmFacts } from "./SwarmFacts.ts"

const facts: SwarmFacts = JSON.parse(process.argv[2]!)
const network = networkOf(facts)
const itemsPerMessage = 10

/** A question, and the answers up to the last one that is expected; what else the peer says is passed over. */
const makeAsk = (session: Session) => {
  let waiting: { name: PeerMessage["_tag"]; left: number; got: Array<PeerMessage>; done: () => void } | undefined
  session.receive((body) => {
    const message = decodePeerMessage(body)
    if (message instanceof Malformed) throw message
    if (waiting?.name !== message._tag) return true
    waiting.got.push(message)
    if (--waiting.left === 0) waiting.done()
    return true
  })
  return <N extends PeerMessage["_tag"]>(question: PeerMessage, name: N, count: number) =>
    Effect.callback<ReadonlyArray<Extract<PeerMessage, { readonly _tag: N }>>>((resume) => {
      const got: Array<Extract<PeerMessage, { readonly _tag: N }>> = []
      waiting = { name, left: count, got: got as Array<PeerMessage>, done: () => resume(Effect.succeed(got)) }
      if (!session.offer([encodePeerMessage(question)])) throw new Error("the session takes no question")
    })
}

const program = Effect.gen(function*() {
  const crypto = yield* loadCrypto
  const end = startTiming()
  const point = facts.points[0]!
  const colon = point.lastIndexOf(":")
  const transport = yield* Transport
  const connection = yield* transport.dial({ host: point.slice(0, colon), port: Number(point.slice(colon + 1)) })
  const session = yield* handshake(connection, {
    crypto,
    identity: identityFromSeed(crypto, "rival"),
    chainName: facts.chainName,
    side: "initiator",
    powDifficulty: 0
  })
  const ask = makeAsk(session)
  const [branch] = yield* ask({ _tag: "GetCurrentBranch", chainId: network.chainIdBytes }, "CurrentBranch", 1)
  const chain: Array<{ readonly hash: Uint8Array; readonly header: HeaderFields }> = []
  let header = branch!.header
  for (;;) {
    chain.push({ hash: headerHash(crypto, header.raw), header })
    const { predecessor } = header
    if (toHex(predecessor) === network.genesis.id) break
    const [below] = yield* ask({ _tag: "GetBlockHeaders", hashes: [predecessor] }, "BlockHeader", 1)
    if (Buffer.compare(headerHash(crypto, below!.header.raw), predecessor) !== 0) throw new Error("another header")
    header = below!.header
  }
  chain.reverse()

  const items: Array<BlockPass & { readonly header: HeaderFields }> = []
  for (const { hash, header } of chain) {
    for (let pass = 0; pass < header.validationPass; pass++) items.push({ block: hash, pass, header })
  }
  for (let at = 0; at < items.length; at += itemsPerMessage) {
    const part = items.slice(at, at + itemsPerMessage)
    const question = {
      _tag: "GetOperationsForBlocks",
      items: part.map(({ block, pass }) => ({ block, pass }))
    } as const
    const lists = yield* ask(question, "OperationsForBlocks", part.length)
    for (const [i, { operations, pass, path }] of lists.entries()) {
      const { operationsHash, validationPass } = part[i]!.header
      const fault = verifyOperations(crypto, {
        pass,
        path,
        operations,
        operationsHash,
        validationPasses: validationPass
      })
      if (fault !== undefined) throw new Error(fault.message)
    }
  }
  if (chain.length !== facts.blocks) throw new Error(`${chain.length} of ${facts.blocks} blocks`)
  tell(end({ bytes: facts.bytes, items: chain.length }))
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(Tcp.layer)))
process.exit(0)
