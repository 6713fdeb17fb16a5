/** Peer ids: the short digest of a public key by which nodes name each other, and its text form. */
import type { Digests } from "../../contract/Crypto.ts"
import { identityBytes } from "../../contract/Identity.ts"
import type { Malformed } from "../../contract/Malformed.ts"
import { decodeHash, encodeHash } from "../Base58Check.ts"

/** blake2b-128 of the 32-byte public key: 16 bytes. Source: octez `src/lib_base/p2p_peer_id.ml`. */
export const peerIdOf = (digests: Digests, publicKey: Uint8Array): Uint8Array =>
  digests.blake2b(publicKey, identityBytes.peerId)

/** The text `id…` of 30 characters. */
export const formatPeerId = (peerId: Uint8Array): string => encodeHash("peer", peerId)

/** The 16 bytes of a text `id…`; `Malformed` when the alphabet, the checksum, the length or the prefix is wrong. */
export const parsePeerId = (text: string): Uint8Array | Malformed => decodeHash("peer", text)
