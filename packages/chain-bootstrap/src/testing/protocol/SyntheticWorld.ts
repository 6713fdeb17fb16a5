/** The world of the synthetic protocol, over any transport. */
import type { Transport } from "@peerstrap/transport"
import * as Layer from "effect/Layer"
import { ChainProtocol } from "../../contract/ChainProtocol.ts"
import type { Reply } from "../../contract/PeerMessage.ts"
import { makeSyntheticChain, syntheticRules } from "../SyntheticChain.ts"
import { syntheticProtocol } from "../SyntheticProtocol.ts"
import { encodeFrame, syntheticFrameBytes } from "../SyntheticWire.ts"
import { counterpartBy, type OtherSide, ProtocolWorld } from "./ProtocolWorld.ts"

const chain = makeSyntheticChain({ seed: 23, levels: 24, unitsPerBlock: 3 })

const huge = new Uint8Array(4)
new DataView(huge.buffer).setUint32(0, syntheticFrameBytes + 1)

/** One bit of its time, which the id covers. */
const altered = (reply: Reply): Reply => {
  if (reply.kind !== "header") return reply
  const bytes = reply.header.bytes.slice()
  bytes[39]! ^= 1
  const header = syntheticRules.decodeHeader(bytes)
  return typeof header === "string" ? reply : { kind: "header", header }
}

/** Two synthetic nodes: the one under test and the one that serves it, listening at `host`. */
export const syntheticWorld = (
  transport: Layer.Layer<Transport>,
  host = "10.0.0.1"
): Layer.Layer<ChainProtocol | ProtocolWorld | Transport> => {
  const side: OtherSide = {
    other: syntheticProtocol({ id: "other" }),
    host,
    genesis: chain.base,
    blocks: chain.main.slice(1),
    misdeeds: {
      malformed: encodeFrame({ kind: "nonsense" }),
      huge,
      half: encodeFrame({ kind: "peers", points: [] }).slice(0, 9)
    },
    altered
  }
  return Layer.mergeAll(
    transport,
    Layer.sync(ChainProtocol, () => syntheticProtocol({ id: "us" })),
    Layer.succeed(ProtocolWorld)({ genesis: side.genesis, blocks: side.blocks, counterpart: counterpartBy(side) })
  )
}
