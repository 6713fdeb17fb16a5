/**
 * The network version: which chain a node is on and which protocols it speaks. The tail of a connection message.
 *
 *     u32 byte length of the chain name, chain name (ASCII) | u16 distributed_db_version | u16 p2p_version
 */
import { Malformed } from "../../contract/Malformed.ts"
import { SessionLimits } from "../../contract/SessionLimits.ts"

/** A chain's network name and the versions of both protocol layers. */
export interface NetworkVersion {
  /** Compared as a whole; not the chain id. Bytes outside ASCII are kept as Latin-1. */
  readonly chainName: string
  readonly distributedDbVersion: number
  readonly p2pVersion: number
}

const fixedBytes = 8

/** Bytes that a network version takes when encoded. */
export const networkVersionBytes = (version: NetworkVersion): number => fixedBytes + version.chainName.length

/** Writes it to `out` at `at`. Throws a `RangeError` when the chain name is longer than the limit or not Latin-1. */
export const writeNetworkVersion = (out: Uint8Array, at: number, version: NetworkVersion): void => {
  const { chainName, distributedDbVersion, p2pVersion } = version
  if (chainName.length > SessionLimits.maxChainNameBytes || [...chainName].some((character) => character > "\u00ff")) {
    throw new RangeError(`a chain name has at most ${SessionLimits.maxChainNameBytes} ASCII characters: "${chainName}"`)
  }
  const view = new DataView(out.buffer, out.byteOffset)
  view.setUint32(at, chainName.length)
  for (let i = 0; i < chainName.length; i++) out[at + 4 + i] = chainName.charCodeAt(i)
  view.setUint16(at + 4 + chainName.length, distributedDbVersion)
  view.setUint16(at + 6 + chainName.length, p2pVersion)
}

/** Encodes a network version. */
export const encodeNetworkVersion = (version: NetworkVersion): Uint8Array => {
  const out = new Uint8Array(networkVersionBytes(version))
  writeNetworkVersion(out, 0, version)
  return out
}

/** Reads the bytes from `at` to the end, which must hold nothing more. Offsets of errors count from the start of `bytes`. */
export const decodeNetworkVersion = (
  bytes: Uint8Array,
  at = 0,
  what = "network version"
): NetworkVersion | Malformed => {
  const wrong = (offset: number, message: string) => new Malformed({ what, offset, message })
  const size = bytes.length - at
  if (size < fixedBytes) {
    return wrong(bytes.length, `ends after ${size} bytes; a network version has ${fixedBytes} or more`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const nameBytes = view.getUint32(at)
  if (nameBytes > SessionLimits.maxChainNameBytes) {
    return wrong(at, `chain name of ${nameBytes} bytes; the limit is ${SessionLimits.maxChainNameBytes}`)
  }
  if (nameBytes !== size - fixedBytes) {
    return wrong(at, `chain name of ${nameBytes} bytes where ${size - fixedBytes} are left for it`)
  }
  let chainName = ""
  for (let i = 0; i < nameBytes; i++) chainName += String.fromCharCode(bytes[at + 4 + i]!)
  return {
    chainName,
    distributedDbVersion: view.getUint16(at + 4 + nameBytes),
    p2pVersion: view.getUint16(at + 6 + nameBytes)
  }
}
