/** Which chain: the id that messages carry, and the header that stands for genesis (specs: chain bootstrap 2.2). */
import type { Digests } from "../contract/Crypto.ts"
import { HashKinds } from "../contract/Hashes.ts"
import { Malformed } from "../contract/Malformed.ts"
import { decodeHash, encodeHash } from "./Base58Check.ts"
import { encodeHeader } from "./BlockHeader.ts"
import { fromHex } from "./HexText.ts"
import { merkleRoot } from "./MerkleTree.ts"

/** Chain id, 4 bytes: the first of blake2b-256 of the genesis block's hash (itself an arbitrary constant). */
export const chainIdOf = (digests: Digests, genesisHash: Uint8Array): Uint8Array =>
  digests.blake2b(genesisHash, 32).slice(0, HashKinds.chain.bytes)

/** `Net…`. */
export const chainIdText = (chainId: Uint8Array): string => encodeHash("chain", chainId)

/** Chain id from `Net…` or 8 hexadecimal digits: 4 fresh bytes. */
export const parseChainId = (text: string): Uint8Array | Malformed => {
  if (text.startsWith("Net")) return decodeHash("chain", text)
  const { bytes } = HashKinds.chain
  const id = fromHex(text, bytes)
  return id instanceof Malformed || id.length === bytes
    ? id
    : new Malformed({ what: "chain id", offset: 0, message: `expected Net… or ${2 * bytes} hexadecimal digits` })
}

/** What is fixed of a chain's genesis. */
export interface GenesisConstants {
  /** Block hash of genesis, 32 bytes. */
  readonly hash: Uint8Array
  /** Seconds since 1970. */
  readonly timestamp: number
  /** Context hash of genesis, 32 bytes. */
  readonly context: Uint8Array
}

/** The 114 bytes that an empty node sends as its head. Their hash is not the hash of genesis: never check it at level 0. */
export const genesisHeader = (digests: Digests, genesis: GenesisConstants): Uint8Array =>
  encodeHeader({
    level: 0,
    proto: 0,
    predecessor: genesis.hash,
    timestamp: genesis.timestamp,
    validationPass: 0,
    operationsHash: merkleRoot(digests, []),
    fitness: [],
    context: genesis.context,
    protocolData: new Uint8Array(0)
  })
