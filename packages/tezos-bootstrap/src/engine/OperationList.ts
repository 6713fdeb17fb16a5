/** A unit of a body: the operations of one pass as they stand in a message, u32 length ‖ branch ‖ data each. */
import {
  decodeOperationList,
  type Digests,
  Malformed,
  operationListBytes,
  operationListHash
} from "@peerstrap/tezos-wire"

/** The list of received operations in one fresh array. Unlike `encodeOperationList` it takes every size that is read. */
export const joinOperations = (operations: ReadonlyArray<Uint8Array>): Uint8Array => {
  const body = new Uint8Array(operationListBytes(operations))
  const view = new DataView(body.buffer)
  let at = 0
  for (const operation of operations) {
    view.setUint32(at, operation.length)
    body.set(operation, at + 4)
    at += 4 + operation.length
  }
  return body
}

/** List hashes (Lo) of all units of a block, or what is wrong with one. */
export const listHashes = (
  digests: Digests,
  units: ReadonlyArray<Uint8Array>
): ReadonlyArray<Uint8Array> | string => {
  const hashes: Array<Uint8Array> = []
  for (const [unit, body] of units.entries()) {
    const operations = decodeOperationList(body)
    if (operations instanceof Malformed) {
      return `pass ${unit}: ${operations.message} (offset ${operations.offset} of its operations)`
    }
    hashes.push(operationListHash(digests, operations))
  }
  return hashes
}
