/** The nonces of a session: one a direction, derived from both connection messages, counted up by one with every chunk. */
import type { Digests } from "../contract/Crypto.ts"

/** Bytes of a nonce. */
export const nonceBytes = 24

/** Adds one in place: 24 bytes, big-endian, wrapping. */
export const incrementNonce = (nonce: Uint8Array): void => {
  for (let i = nonce.length - 1; i >= 0; i--) {
    const next = (nonce[i]! + 1) & 0xff
    nonce[i] = next
    if (next !== 0) return
  }
}

/** The first nonce of each direction, 24 bytes each. */
export interface SessionNonces {
  /** With which the side that opened the connection encrypts, and the other decrypts. */
  readonly initiatorSends: Uint8Array
  readonly responderSends: Uint8Array
}

const derive = (digests: Digests, initiator: Uint8Array, responder: Uint8Array, label: string): Uint8Array => {
  const suffix = new TextEncoder().encode(label)
  const input = new Uint8Array(initiator.length + responder.length + suffix.length)
  input.set(initiator)
  input.set(responder, initiator.length)
  input.set(suffix, initiator.length + responder.length)
  return digests.blake2b(input, 32).slice(0, nonceBytes)
}

/**
 * The first nonces of both directions from the raw connection messages with their u16 prefixes. The labels read backwards: the
 * initiator encrypts under "Resp -> Init". Source: specs: p2p 1.4; octez `src/lib_crypto/crypto_box.ml`.
 */
export const sessionNonces = (digests: Digests, initiator: Uint8Array, responder: Uint8Array): SessionNonces => ({
  initiatorSends: derive(digests, initiator, responder, "Resp -> Init"),
  responderSends: derive(digests, initiator, responder, "Init -> Resp")
})
