/**
 * What a header's protocol data says, as far as diagnostics want it (specs: chain bootstrap 2.4). No hash and no check depends on it, and the
 * shape changes with protocols: what is not recognised stays bytes.
 */
import type { HeaderContent } from "../contract/BlockHeader.ts"
import type { Digests } from "../contract/Crypto.ts"
import { merkleRoot } from "./MerkleTree.ts"

/** Fields of a header by era; views on the header. */
export type ProtocolFields =
  | { readonly era: "genesis" | "activation" | "unknown" }
  | { readonly era: "emmy"; readonly priority: number; readonly seedNonceHash: Uint8Array | undefined }
  | {
    readonly era: "tenderbake"
    /** Round of the block, from its fitness. */
    readonly round: number
    /** Hash of the contents (vh…), 32 bytes. */
    readonly payloadHash: Uint8Array
    /** Round in which the contents were proposed first. */
    readonly payloadRound: number
    readonly seedNonceHash: Uint8Array | undefined
  }

const i32 = (bytes: Uint8Array, at: number): number =>
  bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!

/** Payload hash 32, round 4, nonce 8, presence of a seed nonce hash 1; a vote and a signature of at least 64 follow. */
const tenderbakeHead = 45
/** Priority 2, nonce 8, presence 1; a signature of 64 follows. */
const emmyHead = 11
const signatureBytes = 64

/** The optional hash whose presence byte stands before `at`, or false when the presence byte is none. */
const optionalHash = (bytes: Uint8Array, at: number): Uint8Array | undefined | false => {
  const presence = bytes[at - 1]
  if (presence === 0x00) return undefined
  return presence === 0xff && bytes.length >= at + 32 + signatureBytes && bytes.subarray(at, at + 32)
}

/** Reads what the era of the fitness allows to read; `unknown` rather than an error. */
export const protocolFields = ({ fitness, protocolData }: HeaderContent): ProtocolFields => {
  const era = fitness[0]?.length === 1 ? fitness[0][0]! : -1
  if (fitness.length === 0 && protocolData.length === 0) return { era: "genesis" }
  if (era === 2 && fitness.length === 5 && fitness[4]!.length === 4) {
    const seedNonceHash = optionalHash(protocolData, tenderbakeHead)
    if (protocolData.length < tenderbakeHead + 1 + signatureBytes || seedNonceHash === false) return { era: "unknown" }
    return {
      era: "tenderbake",
      round: i32(fitness[4]!, 0),
      payloadHash: protocolData.subarray(0, 32),
      payloadRound: i32(protocolData, 32),
      seedNonceHash
    }
  }
  if ((era !== 0 && era !== 1) || fitness.length !== 2) return { era: "unknown" }
  const seedNonceHash = protocolData.length < emmyHead ? false : optionalHash(protocolData, emmyHead)
  const rest = seedNonceHash === false ? -1 : protocolData.length - emmyHead - (seedNonceHash?.length ?? 0)
  // The last two protocols of this era had one byte of vote before the signature.
  if (seedNonceHash === false || (rest !== signatureBytes && rest !== signatureBytes + 1)) {
    return { era: era === 0 && fitness[1]!.length === 8 ? "activation" : "unknown" }
  }
  return { era: "emmy", priority: protocolData[0]! << 8 | protocolData[1]!, seedNonceHash }
}

/**
 * Payload hash (vh…) of a Tenderbake block: blake2b-256 of predecessor ‖ payload round i32 ‖ list hash of the operations that are not consensus.
 */
export const payloadHash = (
  digests: Digests,
  predecessor: Uint8Array,
  payloadRound: number,
  operationHashes: ReadonlyArray<Uint8Array>
): Uint8Array => {
  const bytes = new Uint8Array(68)
  bytes.set(predecessor)
  new DataView(bytes.buffer).setInt32(32, payloadRound)
  bytes.set(merkleRoot(digests, operationHashes), 36)
  return digests.blake2b(bytes, 32)
}
