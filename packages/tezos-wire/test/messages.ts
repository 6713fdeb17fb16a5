// Messages of every kind for round trips and fuzzing.
import {
  decodeHeader,
  decodePeerMessage,
  encodeHeader,
  type HeaderFields,
  type PeerMessage
} from "@peerstrap/tezos-wire"
import * as fc from "fast-check"
import { sound, tagged } from "./recorded.ts"

const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const hash = fixed(32)
const chainId = fixed(4)
const hashes = fc.array(hash, { maxLength: 10 })

export const headerArbitrary: fc.Arbitrary<HeaderFields> = fc.record({
  level: fc.nat(),
  proto: fc.nat(255),
  predecessor: hash,
  timestamp: fc.nat(),
  validationPass: fc.nat(8),
  operationsHash: hash,
  fitness: fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 5 }),
  context: hash,
  protocolData: fc.uint8Array({ maxLength: 200 })
}).map((content) => sound(decodeHeader(encodeHeader(content))))

const point = fc.oneof(fc.ipV4().map((ip) => `${ip}:9732`), fc.stringMatching(/^[!-~]{0,47}$/))
const operation = fc.uint8Array({ minLength: 32, maxLength: 120 })
const blockPass = { block: hash, pass: fc.nat(127) }

/** A path from the turns on its way down. */
const path = fc.array(fc.boolean(), { maxLength: 3 }).map((turns) => {
  let bytes: ReadonlyArray<number> = [0x00]
  for (const [i, right] of turns.entries()) {
    const sibling = new Uint8Array(32).fill(i + 1)
    bytes = right ? [0x0f, ...sibling, ...bytes] : [0xf0, ...bytes, ...sibling]
  }
  return Uint8Array.from(bytes)
})

const component = fc.record({
  name: fc.stringMatching(/^[a-z_]{0,20}$/),
  interface: fc.option(fc.uint8Array({ maxLength: 30 }), { nil: undefined }),
  implementation: fc.uint8Array({ maxLength: 50 })
})

const tag = <Name extends PeerMessage["_tag"]>(_tag: Name) => ({ _tag: fc.constant(_tag) })
const branch = { header: headerArbitrary, history: fc.array(hash, { maxLength: 30 }) }
const swap = { point, peerId: fixed(16) }
const ancestor = { block: hash, offset: fc.integer() }

/** One arbitrary for each kind, by its name. */
export const messageArbitraries: {
  readonly [Name in PeerMessage["_tag"]]: fc.Arbitrary<Extract<PeerMessage, { readonly _tag: Name }>>
} = {
  Disconnect: fc.record(tag("Disconnect")),
  Bootstrap: fc.record(tag("Bootstrap")),
  Advertise: fc.record({ ...tag("Advertise"), points: fc.array(point, { maxLength: 100 }) }),
  SwapRequest: fc.record({ ...tag("SwapRequest"), ...swap }),
  SwapAck: fc.record({ ...tag("SwapAck"), ...swap }),
  GetCurrentBranch: fc.record({ ...tag("GetCurrentBranch"), chainId }),
  CurrentBranch: fc.record({ ...tag("CurrentBranch"), chainId, ...branch }),
  Deactivate: fc.record({ ...tag("Deactivate"), chainId }),
  GetCurrentHead: fc.record({ ...tag("GetCurrentHead"), chainId }),
  CurrentHead: fc.record({
    ...tag("CurrentHead"),
    chainId,
    header: headerArbitrary,
    mempool: fc.record({ knownValid: fc.array(hash, { maxLength: 20 }), pending: fc.array(hash, { maxLength: 20 }) })
  }),
  GetBlockHeaders: fc.record({ ...tag("GetBlockHeaders"), hashes }),
  BlockHeader: fc.record({ ...tag("BlockHeader"), header: headerArbitrary }),
  GetOperations: fc.record({ ...tag("GetOperations"), hashes }),
  Operation: fc.record({ ...tag("Operation"), operation }),
  GetProtocols: fc.record({ ...tag("GetProtocols"), hashes }),
  Protocol: fc.record({
    ...tag("Protocol"),
    environmentVersion: fc.nat(0xffff),
    components: fc.array(component, { maxLength: 5 })
  }),
  GetOperationsForBlocks: fc.record({
    ...tag("GetOperationsForBlocks"),
    items: fc.array(fc.record(blockPass), { maxLength: 10 })
  }),
  OperationsForBlocks: fc.record({
    ...tag("OperationsForBlocks"),
    ...blockPass,
    path,
    operations: fc.array(operation, { maxLength: 8 })
  }),
  GetCheckpoint: fc.record({ ...tag("GetCheckpoint"), chainId }),
  Checkpoint: fc.record({ ...tag("Checkpoint"), chainId, header: headerArbitrary }),
  GetProtocolBranch: fc.record({ ...tag("GetProtocolBranch"), chainId, proto: fc.nat(255) }),
  ProtocolBranch: fc.record({ ...tag("ProtocolBranch"), chainId, proto: fc.nat(255), ...branch }),
  GetPredecessorHeader: fc.record({ ...tag("GetPredecessorHeader"), ...ancestor }),
  PredecessorHeader: fc.record({ ...tag("PredecessorHeader"), ...ancestor, header: headerArbitrary })
}

export const messageArbitrary: fc.Arbitrary<PeerMessage> = fc.oneof(...Object.values(messageArbitraries))

/** Hashes that differ. */
export const many = (count: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: count }, (_, i) => {
    const hash = new Uint8Array(32)
    new DataView(hash.buffer).setUint32(0, i)
    return hash
  })

export const sampleHeader: HeaderFields = fc.sample(headerArbitrary, { seed: 20_261_205, numRuns: 1 })[0]!
export const messageChain = Uint8Array.of(1, 2, 3, 4)
export const messageBlock = many(1)[0]!

export const u32 = (
  value: number
): ReadonlyArray<number> => [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255]

/** A message of raw parts, each number one byte. */
export const raw = (tag: number, ...parts: ReadonlyArray<number | Iterable<number>>): Uint8Array =>
  tagged(tag, Uint8Array.from(parts.flatMap((part) => typeof part === "number" ? [part] : [...part])))

export const accepts = (body: Uint8Array): PeerMessage => sound(decodePeerMessage(body))
