/**
 * The connection message: the first and only plaintext thing on a connection, sent by both sides at once.
 *
 *     u16 length of the rest | u16 port | 32 public key | 24 proof-of-work stamp | 24 message nonce | network version
 *
 * The nonces of the session depend on its raw bytes, prefix included: keep them.
 */
import { identityBytes } from "../../contract/Identity.ts"
import { Malformed } from "../../contract/Malformed.ts"
import { SessionLimits } from "../../contract/SessionLimits.ts"
import {
  decodeNetworkVersion,
  type NetworkVersion,
  networkVersionBytes,
  writeNetworkVersion
} from "./NetworkVersion.ts"

/** What each side says of itself in the clear: port, key, proof of work, nonce, versions. */
export interface ConnectionMessage extends NetworkVersion {
  /** Where the sender listens; 0: nowhere. */
  readonly port: number
  readonly publicKey: Uint8Array
  readonly proofOfWorkStamp: Uint8Array
  /** 24 bytes, fresh for each connection. */
  readonly messageNonce: Uint8Array
}

const what = "connection message"
/** Bytes of the nonce in a connection message. */
export const messageNonceBytes = 24
/** Bytes of the length before a connection message. */
export const connectionPrefixBytes = 2
const keyAt = 2
const stampAt = keyAt + identityBytes.publicKey
const nonceAt = stampAt + identityBytes.proofOfWorkStamp
const versionAt = nonceAt + messageNonceBytes

/** Bytes after the prefix: with an empty and with the longest chain name. */
export const connectionMessageBytes = {
  minimum: versionAt + 8,
  maximum: versionAt + 8 + SessionLimits.maxChainNameBytes
} as const

/** The bytes as sent, with the u16 prefix. Source: specs: p2p 1.3; octez `src/lib_p2p/p2p_socket.ml`. */
export const encodeConnectionMessage = (message: ConnectionMessage): Uint8Array => {
  const size = versionAt + networkVersionBytes(message)
  const out = new Uint8Array(connectionPrefixBytes + size)
  const view = new DataView(out.buffer)
  view.setUint16(0, size)
  view.setUint16(connectionPrefixBytes, message.port)
  out.set(message.publicKey, connectionPrefixBytes + keyAt)
  out.set(message.proofOfWorkStamp, connectionPrefixBytes + stampAt)
  out.set(message.messageNonce, connectionPrefixBytes + nonceAt)
  writeNetworkVersion(out, connectionPrefixBytes + versionAt, message)
  return out
}

/** What the u16 prefix says follows, or why that cannot be. Read it before buffering the rest. */
export const connectionMessageSize = (prefix: Uint8Array): number | Malformed => {
  if (prefix.length < connectionPrefixBytes) {
    return new Malformed({ what, offset: prefix.length, message: `ends in its ${connectionPrefixBytes}-byte length` })
  }
  const size = prefix[0]! * 256 + prefix[1]!
  const { maximum, minimum } = connectionMessageBytes
  return size >= minimum && size <= maximum ? size : new Malformed({
    what,
    offset: 0,
    message: `a length of ${size} bytes; one has ${minimum} to ${maximum}. Is this a node of another kind?`
  })
}

/** Reads a whole message with its prefix. Nothing may follow. Keys and stamps are copies. */
export const decodeConnectionMessage = (bytes: Uint8Array): ConnectionMessage | Malformed => {
  const size = connectionMessageSize(bytes)
  if (size instanceof Malformed) return size
  if (bytes.length !== connectionPrefixBytes + size) {
    return new Malformed({
      what,
      offset: Math.min(bytes.length, connectionPrefixBytes + size),
      message: `announces ${size} bytes and has ${bytes.length - connectionPrefixBytes}`
    })
  }
  const at = (offset: number, length: number) =>
    new Uint8Array(bytes.subarray(connectionPrefixBytes + offset, connectionPrefixBytes + offset + length))
  const version = decodeNetworkVersion(bytes, connectionPrefixBytes + versionAt, what)
  if (version instanceof Malformed) return version
  return {
    port: bytes[2]! * 256 + bytes[3]!,
    publicKey: at(keyAt, identityBytes.publicKey),
    proofOfWorkStamp: at(stampAt, identityBytes.proofOfWorkStamp),
    messageNonce: at(nonceAt, messageNonceBytes),
    ...version
  }
}
