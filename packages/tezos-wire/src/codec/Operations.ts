/**
 * Operations of a block: their bytes as a list, their hashes, and the check that a received list is the one that the header commits to
 * (specs: chain bootstrap 2.5, 2.6). An operation is branch (32) ‖ data; its length on the wire is not part of its hash.
 */
import type { Digests } from "../contract/Crypto.ts"
import { Limits } from "../contract/Limits.ts"
import type { Malformed } from "../contract/Malformed.ts"
import { foldPath, pathPosition } from "./MerklePath.ts"
import { merkleRoot } from "./MerkleTree.ts"
import { type Reader, reading } from "./Reader.ts"
import { demand, Writer } from "./Writer.ts"

/** A branch alone, with no data. */
const leastOperationBytes = 32

/** Reads operations, each u32 length + bytes, up to the end of the innermost length. */
export const readOperationList = (reader: Reader): ReadonlyArray<Uint8Array> => {
  if (reader.left > Limits.maxOperationListBytes) {
    reader.fail(`${reader.left} bytes of operations, the limit is ${Limits.maxOperationListBytes}`)
  }
  const operations: Array<Uint8Array> = []
  while (reader.left > 0) {
    const at = reader.position
    const length = reader.length(Limits.maxOperationBytes, "operation")
    if (length < leastOperationBytes) {
      reader.fail(`an operation of ${length} bytes, the least is ${leastOperationBytes}`, at)
    }
    operations.push(reader.view(length, "operation"))
  }
  return operations
}

/** Operations (views, branch ‖ data) of a list of u32 length + bytes each; at most `Limits.maxOperationListBytes`. */
export const decodeOperationList = (bytes: Uint8Array): ReadonlyArray<Uint8Array> | Malformed =>
  reading("list of operations", bytes, readOperationList)

/** Bytes that `encodeOperationList` gives. */
export const operationListBytes = (operations: ReadonlyArray<Uint8Array>): number => {
  let size = 4 * operations.length
  for (const operation of operations) size += operation.length
  return size
}

export const writeOperationList = (writer: Writer, operations: ReadonlyArray<Uint8Array>): void => {
  const size = operationListBytes(operations)
  demand(
    size <= Limits.maxOperationListBytes,
    () => `${size} bytes of operations, the limit is ${Limits.maxOperationListBytes}`
  )
  for (const operation of operations) {
    checkWrittenOperation(operation)
    writer.prefixed(operation, "operation")
  }
}

/** Throws a RangeError for an operation that some node would not read. */
export const checkWrittenOperation = ({ length }: Uint8Array): void =>
  demand(
    length >= leastOperationBytes && length <= Limits.maxWrittenOperationBytes,
    () => `an operation of ${length} bytes, not ${leastOperationBytes} to ${Limits.maxWrittenOperationBytes}`
  )

/** The list as it stands in a message, fresh: u32 length + bytes each. Throws a RangeError beyond the limits of writing. */
export const encodeOperationList = (operations: ReadonlyArray<Uint8Array>): Uint8Array => {
  const writer = new Writer(operationListBytes(operations))
  writeOperationList(writer, operations)
  return writer.finish()
}

/** Operation hash (o…): blake2b-256 of branch ‖ data. */
export const operationHash = (digests: Digests, operation: Uint8Array): Uint8Array => digests.blake2b(operation, 32)

/** Hash of the operations of one pass (Lo…): the tree over their hashes. */
export const operationListHash = (digests: Digests, operations: ReadonlyArray<Uint8Array>): Uint8Array =>
  merkleRoot(digests, operations.map((operation) => digests.blake2b(operation, 32)))

/** `operations_hash` of a header (LLo…): the tree over the list hashes of all passes in order. */
export const operationListListHash = (digests: Digests, listHashes: ReadonlyArray<Uint8Array>): Uint8Array =>
  merkleRoot(digests, listHashes)

/** A received list beside what the block's header says. */
export interface ClaimedOperations {
  readonly pass: number
  /** Encoded, as in OperationsForBlocks. */
  readonly path: Uint8Array
  readonly operations: ReadonlyArray<Uint8Array>
  /** Of the header. */
  readonly operationsHash: Uint8Array
  /** `validationPass` of the header. */
  readonly validationPasses: number
}

/**
 * Why a list is not the block's. `pass`: the block has no such pass; `path`: it is none of such a tree; `position`: the path of another pass;
 * `repeated`: the last operation stands there twice; `root`: the hashes do not fit.
 */
export interface OperationsFault {
  readonly reason: "pass" | "path" | "position" | "repeated" | "root"
  readonly message: string
}

/**
 * Undefined when the operations are those of the pass: the path leads from their hash to the header's, and from the right place. A path for
 * another pass leads to the same root, hence the check of the position; padding of the tree stands at positions that no pass has. A tree is
 * padded with its last leaf, so a list with its last operation repeated can have the hash of the true list; no block has an operation twice.
 */
export const verifyOperations = (digests: Digests, claim: ClaimedOperations): OperationsFault | undefined => {
  const { operations, operationsHash, pass, path, validationPasses } = claim
  if (!(pass >= 0 && pass < validationPasses)) {
    return { reason: "pass", message: `pass ${pass} of a block that has ${validationPasses}` }
  }
  const place = pathPosition(path)
  if (place === undefined) return { reason: "path", message: "the path is malformed" }
  const size = 2 ** Math.ceil(Math.log2(validationPasses))
  if (place.size !== size) {
    return { reason: "path", message: `the path is one of a tree of ${place.size}, the block's has ${size}` }
  }
  if (place.position !== pass) {
    return { reason: "position", message: `the path is that of position ${place.position}, not of pass ${pass}` }
  }
  const [beforeLast, last] = operations.slice(-2)
  if (last !== undefined && Buffer.compare(beforeLast!, last) === 0) {
    return { reason: "repeated", message: `the last of ${operations.length} operations of pass ${pass} is repeated` }
  }
  const root = foldPath(digests, path, operationListHash(digests, operations))
  return Buffer.compare(root, operationsHash) === 0
    ? undefined
    : {
      reason: "root",
      message: `${operations.length} operations of pass ${pass} do not lead to the header's operations hash`
    }
}
