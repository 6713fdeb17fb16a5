// The world of the Tezos protocol for the kit of protocols: the scripted peer serves a made-up chain, and tells in words what it was told in bytes.
import type { Block, ChainProtocol, Incoming, Request } from "@peerstrap/chain-bootstrap"
import {
  type Counterpart,
  Happenings,
  ProtocolWorld,
  refusalPoints,
  type Way
} from "@peerstrap/chain-bootstrap/testing"
import { makeTezosRules, type Network, tezosProtocol } from "@peerstrap/tezos-bootstrap"
import {
  Crypto,
  encodeHash,
  encodePeerMessage,
  type HeaderFields,
  Limits,
  NackMotive,
  type PeerMessage,
  readLocator,
  toHex
} from "@peerstrap/tezos-wire"
import { identityFromSeed, makeChain, type ScriptedPeer, startScriptedPeer } from "@peerstrap/tezos-wire/testing"
import type { Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { joinOperations } from "../src/engine/OperationList.ts"
import { bytes, chainFacts, crypto, facts } from "./chains.ts"

const chain = makeChain(crypto, { seed: "kit", levels: 24, chainName: "TEZOS_KIT", activation: false })
const genesis = { id: toHex(chain.genesis.hash), level: 0 }
const network: Network = {
  ...chainFacts,
  genesis: { id: genesis.id, timeSeconds: undefined, header: undefined },
  name: "kit",
  chainName: chain.chainName,
  chainId: encodeHash("chain", chain.chainId),
  chainIdBytes: chain.chainId,
  proofOfWork: 0,
  peers: [],
  blocksPerCycle: 100,
  blockTimeSeconds: 6
}
const rules = makeTezosRules(crypto, network)
const blocks: ReadonlyArray<Block> = [...chain.blocks].map(({ header, operations }) => ({
  header: facts(rules, header.raw),
  units: operations.map(joinOperations)
}))
const us = identityFromSeed(crypto, "us")

const behaviours: Readonly<Record<Way, string>> = {
  honest: "",
  reversed: "reorder",
  "alters-headers": "bad-header:flip",
  refuses: `nack:${NackMotive.tooManyConnections}`
}

const messageOf = (request: Request): PeerMessage => {
  switch (request.kind) {
    case "get-branch":
      return { _tag: "GetCurrentBranch", chainId: chain.chainId }
    case "get-head":
      return { _tag: "GetCurrentHead", chainId: chain.chainId }
    case "get-headers":
      return { _tag: "GetBlockHeaders", hashes: request.ids.map(bytes) }
    case "get-units":
      return {
        _tag: "GetOperationsForBlocks",
        items: request.items.map(({ block, unit }) => ({ block: bytes(block), pass: unit }))
      }
    default:
      throw new Error(`the scripted peer does not ask ${request.kind}`)
  }
}

const header = (fields: HeaderFields) => facts(rules, fields.raw)

/** What the peer was told, as its own chain code would take it. */
const heardAs = (peer: ScriptedPeer, message: PeerMessage): Incoming => {
  switch (message._tag) {
    case "BlockHeader":
      return { kind: "header", header: header(message.header) }
    case "CurrentHead":
      return { kind: "head", header: header(message.header) }
    case "CurrentBranch": {
      const head = header(message.header)
      const entries = readLocator(crypto, {
        sender: us.peerId,
        receiver: peer.identity.peerId,
        headHash: bytes(head.id),
        headLevel: head.level,
        history: message.history
      })
      const below = entries.map(({ exact, hash, level }) => ({ id: toHex(hash), level, exact }))
      return { kind: "branch", head, entries: [{ id: head.id, level: head.level, exact: true }, ...below] }
    }
    case "OperationsForBlocks":
      return {
        kind: "unit",
        block: toHex(message.block),
        unit: message.pass,
        body: joinOperations(message.operations),
        proof: message.path
      }
    default:
      return { kind: "ignored", what: message._tag }
  }
}

/** As long as frames may be, which is more than a header may be. */
const hugeHeader = new Uint8Array(Limits.maxFrameBytes)
hugeHeader[1] = 0x21

const counterpart = Effect.fnUntraced(function*(host: string, way: Way) {
  const heard: Array<Incoming> = []
  const happenings = new Happenings()
  const peer: ScriptedPeer = yield* startScriptedPeer({
    crypto,
    chain,
    seed: "other",
    asks: false,
    address: { host, port: 0 },
    behaviours: behaviours[way],
    points: refusalPoints,
    observe: (_connection, message, direction) => {
      if (direction === "out") return
      heard.push(heardAs(peer, message))
      happenings.happened()
    }
  })
  // The scripted peer tells of messages only: that a session of its is open or has ended is looked for.
  const until = (is: () => boolean): Effect.Effect<void> =>
    Effect.suspend(() => is() ? Effect.void : Effect.andThen(Effect.sleep(1), until(is)))
  const act = (does: () => void) => Effect.andThen(until(() => peer.stats().openConnections > 0), Effect.sync(does))
  const part: Counterpart = {
    id: peer.peerIdText,
    address: peer.address,
    heard,
    heardBy: (count) => happenings.until(() => heard.length >= count),
    settled: until(() => peer.stats().openConnections === 0),
    ask: (requests) => act(() => peer.sendFrames(requests.map((request) => encodePeerMessage(messageOf(request))))),
    misbehave: (how) =>
      act(() => {
        if (how === "malformed") return peer.sendFrames([Uint8Array.of(0, 0x50)])
        if (how === "huge") return peer.sendFrames([hugeHeader])
        peer.sendFrames([new Uint8Array(400_000)])
        peer.dropConnections()
      }),
    leave: act(() => peer.sendFrames([encodePeerMessage({ _tag: "Disconnect" })])),
    cut: act(() => peer.dropConnections())
  }
  return part
})

/** The protocol under test as one node, the scripted peer as the other, which listens at `host`. */
export const tezosWorld = (
  transport: Layer.Layer<Transport>,
  host = "127.0.0.1"
): Layer.Layer<ChainProtocol | ProtocolWorld | Transport> =>
  Layer.mergeAll(
    transport,
    Layer.provide(tezosProtocol({ network, identity: us }), Layer.succeed(Crypto)(crypto)),
    Layer.succeed(ProtocolWorld)({ genesis, blocks, counterpart: (way) => counterpart(host, way) })
  )
