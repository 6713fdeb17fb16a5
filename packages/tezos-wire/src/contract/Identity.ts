/** Who a node is on the network: an X25519 pair and the proof of work that makes new pairs expensive. */

export interface Identity {
  /** blake2b-128 of the public key: 16 bytes. Text form: base58check, `id…`, 30 characters (`formatPeerId`). */
  readonly peerId: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes. Whoever has them is this node. */
  readonly secretKey: Uint8Array
  /** 24 bytes: blake2b-256(public key ‖ stamp), read as a little-endian number, is at most the network's target. */
  readonly proofOfWorkStamp: Uint8Array
}

/** Bytes of each field. */
export const identityBytes = { peerId: 16, publicKey: 32, secretKey: 32, proofOfWorkStamp: 24 } as const
