/**
 * The rules of the chain that need no protocol code (specs: chain bootstrap 2.2, 2.3, 2.6, 2.7): what a header says, what it must agree with,
 * and that operations are those which it commits to. They prove links and contents, not signatures or rights.
 */
import type { BlockId, ChainRules, HeaderFacts } from "@peerstrap/chain-bootstrap"
import {
  comparePackedFitness,
  decodeHeader,
  decodeOperationList,
  type Digests,
  encodeHash,
  fromHex,
  type HeaderFields,
  headerHash,
  Limits,
  Malformed,
  operationListListHash,
  packFitness,
  toHex,
  verifyOperations
} from "@peerstrap/tezos-wire"
import type { Network } from "../contract/Network.ts"
import { TezosLimits } from "../contract/TezosLimits.ts"
import { listHashes } from "./OperationList.ts"

/** The facts of a network that rules depend on. */
export type ChainFacts = Pick<Network, "genesis" | "validationPasses" | "finality" | "limits">

/** The rules of a Tezos chain, with what its wire needs of them. */
export interface TezosRules extends ChainRules {
  /** Facts of a header that is decoded already: copies what it keeps. */
  readonly factsOf: (header: HeaderFields) => HeaderFacts | string
  /** Facts of the genesis header, when the network has one: what an empty node sends as its head. */
  readonly genesis: HeaderFacts | undefined
}

const idBytes = 32
const protoAt = 4
const rootAt = 46
const protoModulus = 256

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** Makes the rules of one chain. */
export const makeTezosRules = (digests: Digests, chain: ChainFacts): TezosRules => {
  const { finality, genesis, limits, validationPasses } = chain
  const displayId = (id: BlockId): string => {
    const bytes = fromHex(id, idBytes)
    return bytes instanceof Uint8Array && bytes.length === idBytes ? encodeHash("block", bytes) : id
  }

  /** Genesis is a constant, so that its header only has to claim nothing. Which context it names differs between sandboxes. */
  const genesisFault = (header: HeaderFields): string | undefined => {
    if (toHex(header.predecessor) !== genesis.id) {
      return `level 0 of a chain that begins with ${encodeHash("block", header.predecessor)}, not ${
        displayId(genesis.id)
      }`
    }
    return header.fitness.length === 0 && header.validationPass === 0
      ? undefined
      : "level 0 with a fitness or operations, which genesis has not"
  }

  const factsOf = (header: HeaderFields): HeaderFacts | string => {
    const { fitness, level, predecessor, raw, timestamp, validationPass } = header
    if (level < 0) return `level ${level}: levels begin at 0`
    const fault = level === 0 ? genesisFault(header) : undefined
    if (fault !== undefined) return fault
    const bytes = new Uint8Array(raw)
    return {
      id: level === 0 ? genesis.id : toHex(headerHash(digests, raw)),
      parent: toHex(predecessor),
      level,
      timeSeconds: timestamp,
      weight: packFitness(fitness),
      units: validationPass,
      bodyRoot: bytes.subarray(rootAt, rootAt + idBytes),
      bytes
    }
  }

  const decode = (bytes: Uint8Array): HeaderFacts | string => {
    const header = decodeHeader(bytes)
    return header instanceof Malformed ? `${header.message} (offset ${header.offset} of the header)` : factsOf(header)
  }

  const passesFit = ({ level, units }: HeaderFacts): boolean =>
    units === validationPasses || (units === 0 && level <= 1)

  const checkAlone = (header: HeaderFacts, nowSeconds: number): string | undefined => {
    const ahead = header.timeSeconds - nowSeconds
    if (ahead > limits.clockDriftSeconds) {
      return `dated ${ahead.toFixed(0)} s ahead of our clock; at most ${limits.clockDriftSeconds} s are taken`
    }
    if (header.bytes.length > limits.maxHeaderBytes) {
      return `a header of ${header.bytes.length} bytes; the limit of this network is ${limits.maxHeaderBytes}`
    }
    return passesFit(header)
      ? undefined
      : `${header.units} passes at level ${header.level}; blocks of this network have ${validationPasses}`
  }

  const checkLink = (child: HeaderFacts, parent: HeaderFacts): string | undefined => {
    if (child.parent !== parent.id) return `its predecessor is ${displayId(child.parent)}, not ${displayId(parent.id)}`
    if (child.level !== parent.level + 1) return `level ${child.level} on level ${parent.level}`
    if (child.timeSeconds <= parent.timeSeconds) {
      return `dated ${child.timeSeconds}, not after its predecessor (${parent.timeSeconds})`
    }
    if (comparePackedFitness(child.weight, parent.weight) <= 0) {
      return "its fitness is not greater than its predecessor's"
    }
    const [proto, before] = [child.bytes[protoAt]!, parent.bytes[protoAt]!]
    return proto === before || proto === (before + 1) % protoModulus
      ? undefined
      : `protocol counter ${proto} after ${before}; it stays or goes one up`
  }

  const verifyUnit = (header: HeaderFacts, unit: number, body: Uint8Array, proof: Uint8Array): string | undefined => {
    const operations = decodeOperationList(body)
    if (operations instanceof Malformed) {
      return `${operations.message} (offset ${operations.offset} of the operations)`
    }
    return verifyOperations(digests, {
      pass: unit,
      path: proof,
      operations,
      operationsHash: header.bodyRoot,
      validationPasses: header.units
    })?.message
  }

  const verifyBody = (header: HeaderFacts, units: ReadonlyArray<Uint8Array>): string | undefined => {
    if (units.length !== header.units) return `${units.length} passes of a block that has ${header.units}`
    const hashes = listHashes(digests, units)
    if (typeof hashes === "string") return hashes
    return same(operationListListHash(digests, hashes), header.bodyRoot)
      ? undefined
      : "the operations do not lead to the header's operations hash"
  }

  const first = genesis.header === undefined ? undefined : decode(genesis.header)
  return {
    idBytes,
    displayId,
    compareWeight: comparePackedFitness,
    decodeHeader: decode,
    factsOf,
    checkAlone,
    checkLink,
    verifyUnit,
    verifyBody,
    itemsPerRequest: Math.min(limits.itemsPerRequest, Limits.maxRequestItems),
    spacingMillis: TezosLimits.spacingMillis,
    finality,
    genesis: typeof first === "string" ? undefined : first
  }
}
