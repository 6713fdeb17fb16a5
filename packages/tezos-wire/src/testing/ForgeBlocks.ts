/** Blocks of Tenderbake's shape with right hashes and Merkle roots around random content: no protocol would accept them, every peer would store them. */
import { decodeHeader, encodeHeader, headerHash } from "../codec/BlockHeader.ts"
import { operationHash, operationListHash, operationListListHash } from "../codec/Operations.ts"
import { payloadHash } from "../codec/ProtocolData.ts"
import type { HeaderContent, HeaderFields } from "../contract/BlockHeader.ts"
import type { Digests } from "../contract/Crypto.ts"
import { Malformed } from "../contract/Malformed.ts"
import type { SeededBytes } from "./SeededBytes.ts"
import type { TestBlock, TestBranch } from "./TestChain.ts"

export interface BlockShape {
  readonly operationsPerBlock: number
  readonly passes: number
  /** Sizes of operations, their 32-byte branch included. */
  readonly operationBytes: readonly [least: number, most: number]
}

/** What a block is put on. */
export interface Parent {
  readonly hash: Uint8Array
  readonly level: number
  readonly proto: number
  readonly round: number
}

const activationDataBytes = 1_600
const seedNonceEvery = 32

const i32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value)
  return bytes
}

const i64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value))
  return bytes
}

/** `[02, level, , −predecessor's round − 1, round]`. */
export const tenderbakeFitness = (level: number, parentRound: number, round: number): ReadonlyArray<Uint8Array> => [
  Uint8Array.of(2),
  i32(level),
  new Uint8Array(0),
  i32(-parentRound - 1),
  i32(round)
]

const emptyRound = 0

/** The round of a block, from its fitness. */
export const roundOf = ({ fitness }: HeaderContent): number => {
  const last = fitness.at(-1)
  return fitness.length === 5 && last !== undefined
    ? new DataView(last.buffer, last.byteOffset).getInt32(0)
    : emptyRound
}

const makeOperations = (
  random: SeededBytes,
  parent: Parent,
  shape: BlockShape
): ReadonlyArray<ReadonlyArray<Uint8Array>> => {
  const passes: Array<Array<Uint8Array>> = Array.from({ length: shape.passes }, () => [])
  if (shape.passes === 0) return passes
  for (let i = 0; i < shape.operationsPerBlock; i++) {
    const operation = new Uint8Array(random.between(...shape.operationBytes))
    operation.set(parent.hash)
    random.write(operation, 32)
    passes[random.below(shape.passes)]!.push(operation)
  }
  return passes
}

/** Payload hash, round, proof-of-work nonce, seed nonce hash every 32nd level, vote, signature: 110 or 142 bytes. */
const protocolData = (
  digests: Digests,
  random: SeededBytes,
  parent: Parent,
  round: number,
  operations: ReadonlyArray<ReadonlyArray<Uint8Array>>
): Uint8Array => {
  const hashes = operations.slice(1).flatMap((list) => list.map((operation) => operationHash(digests, operation)))
  const withSeedNonce = (parent.level + 1) % seedNonceEvery === 0
  const bytes = new Uint8Array(withSeedNonce ? 142 : 110)
  random.write(bytes, 36)
  bytes.set(payloadHash(digests, parent.hash, round, hashes))
  bytes.set(i32(round), 32)
  bytes[44] = withSeedNonce ? 0xff : 0
  bytes[withSeedNonce ? 77 : 45] = 0
  return bytes
}

/** A header as if it had come from a peer. */
export const headerOf = (raw: Uint8Array): HeaderFields => {
  const header = decodeHeader(raw)
  if (header instanceof Malformed) throw header
  return header
}

export interface NextBlock {
  readonly random: SeededBytes
  readonly shape: BlockShape
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly round: number
  /** Level 1 as networks begin: no passes, 1,600 bytes of activation command. */
  readonly activation: boolean
}

/** The next block above `parent`, not yet part of any chain. */
export const forgeBlock = (digests: Digests, branch: TestBranch, parent: Parent, next: NextBlock): TestBlock => {
  const { activation, random, round, shape, timestamp } = next
  const level = parent.level + 1
  const operations = activation ? [] : makeOperations(random, parent, shape)
  const content: HeaderContent = {
    level,
    proto: activation || parent.level === 0 ? 1 : parent.proto,
    predecessor: parent.hash,
    timestamp,
    validationPass: operations.length,
    operationsHash: operationListListHash(digests, operations.map((list) => operationListHash(digests, list))),
    fitness: activation ? [Uint8Array.of(0), i64(1)] : tenderbakeFitness(level, parent.round, round),
    context: random.bytes(32),
    protocolData: activation
      ? random.bytes(activationDataBytes)
      : protocolData(digests, random, parent, round, operations)
  }
  const raw = encodeHeader(content)
  return { branch, level, hash: headerHash(digests, raw), header: headerOf(raw), operations }
}
