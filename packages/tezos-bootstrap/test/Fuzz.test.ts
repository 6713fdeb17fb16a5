// Frames of a peer, changed at will: always a translation or an ending that says where, never an exception.
import { assert, describe, it } from "@effect/vitest"
import { makeTezosRules } from "@peerstrap/tezos-bootstrap"
import { encodeHeader, encodePeerMessage, MessageTags, type PeerMessage } from "@peerstrap/tezos-wire"
import * as FastCheck from "fast-check"
import { receiveFrame } from "../src/engine/Incoming.ts"
import { bytes, chainFacts, crypto, genesisId } from "./chains.ts"

const seed = 20_261_121
const chainId = bytes("7a06a770")
const context = {
  digests: crypto,
  rules: makeTezosRules(crypto, chainFacts),
  chainId,
  ownId: new Uint8Array(16).fill(1),
  peerId: new Uint8Array(16).fill(2),
  ancestors: true
}
const hash = (fill: number) => new Uint8Array(32).fill(fill)
const header = {
  raw: encodeHeader({
    level: 9,
    proto: 1,
    predecessor: hash(3),
    timestamp: 5,
    validationPass: 4,
    operationsHash: hash(4),
    fitness: [hash(1).slice(0, 4), hash(0).slice(0, 0)],
    context: hash(5),
    protocolData: hash(6)
  })
} as Extract<PeerMessage, { _tag: "BlockHeader" }>["header"]
const frames = ([
  { _tag: "Advertise", points: ["1.2.3.4:5"] },
  { _tag: "SwapRequest", point: "1.2.3.4:5", peerId: hash(1).slice(0, 16) },
  { _tag: "CurrentBranch", chainId, header, history: [hash(3), hash(2), bytes(genesisId)] },
  { _tag: "CurrentHead", chainId, header, mempool: { knownValid: [], pending: [] } },
  { _tag: "BlockHeader", header },
  { _tag: "GetBlockHeaders", hashes: [hash(1)] },
  { _tag: "GetOperationsForBlocks", items: [{ block: hash(1), pass: 3 }] },
  {
    _tag: "OperationsForBlocks",
    block: hash(1),
    pass: 3,
    path: Uint8Array.of(0xf0, 0, ...hash(7)),
    operations: [hash(8)]
  },
  { _tag: "PredecessorHeader", block: hash(1), offset: 3, header }
] satisfies ReadonlyArray<PeerMessage>).map(encodePeerMessage)

const look = (frame: Uint8Array): void => {
  const translated = receiveFrame(context, frame)
  if ("incoming" in translated) assert.isString(translated.incoming.kind)
  else if (translated.ending.kind === "malformed") {
    assert.match(translated.ending.message, /byte \d+ of its frame|: level |: levels /)
  }
}

describe("frames of a peer", () => {
  it("truncated anywhere", () => {
    for (const frame of frames) for (let end = 0; end <= frame.length; end++) look(frame.subarray(0, end))
  })

  it(`changed in some bytes (seed ${seed})`, () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...frames),
        FastCheck.array(FastCheck.tuple(FastCheck.nat(), FastCheck.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 4
        }),
        (frame, changes) => {
          const changed = new Uint8Array(frame)
          for (const [at, value] of changes) changed[at % changed.length] = value
          look(changed)
        }
      ),
      { seed, numRuns: 3_000 }
    ))

  it(`any bytes behind any tag (seed ${seed})`, () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...Object.values(MessageTags)),
        FastCheck.uint8Array({ maxLength: 200 }),
        (tag, body) => look(Uint8Array.of(0, tag, ...body))
      ),
      { seed, numRuns: 3_000 }
    ))
})
