// Two ends of a session without a network, as tests need them.
import {
  type CryptoFunctions,
  currentVersions,
  type HandshakeOutcome,
  type HandshakeSetup,
  type Identity,
  loadCrypto,
  peerIdOf,
  proofOfWorkTarget,
  type SessionFault,
  WireSession
} from "@peerstrap/tezos-wire"
import type { ByteLedger } from "@peerstrap/transport"
import * as Effect from "effect/Effect"

export const crypto: CryptoFunctions = await Effect.runPromise(loadCrypto)
export const chainName = "TEZOS_TEST"

/** The same identity for the same number; proves difficulty 0. */
export const identityOf = (seed: number): Identity => {
  const { publicKey, secretKey } = crypto.keyPair(crypto.blake2b(Uint8Array.of(seed, 1), 32))
  const proofOfWorkStamp = crypto.blake2b(Uint8Array.of(seed, 2), 32).slice(0, 24)
  return { peerId: peerIdOf(crypto, publicKey), publicKey, secretKey, proofOfWorkStamp }
}

export const setupOf = (seed: number, changes: Partial<HandshakeSetup> = {}): HandshakeSetup => ({
  crypto,
  identity: identityOf(seed),
  side: seed === 1 ? "initiator" : "responder",
  chainName,
  versions: currentVersions,
  port: 9_000 + seed,
  metadata: { disableMempool: true, privateNode: false },
  messageNonce: crypto.blake2b(Uint8Array.of(seed, 3), 32).slice(0, 24),
  powTarget: proofOfWorkTarget(0),
  accept: () => undefined,
  ...changes
})

/** One end: what it wants to send, what became of the handshake, and the frames it got. */
export interface End {
  readonly wire: WireSession
  readonly out: Array<Uint8Array>
  outcome: HandshakeOutcome | undefined
  fault: SessionFault | undefined
  readonly frames: Array<Uint8Array>
}

export const endOf = (setup: HandshakeSetup, ledger?: ByteLedger): End => {
  const out: Array<Uint8Array> = []
  const end: End = {
    wire: new WireSession(setup, {
      send: (bytes) => out.push(bytes),
      onHandshake: (outcome) => {
        end.outcome = outcome
      },
      onFault: (fault) => {
        end.fault = fault
      }
    }, ledger),
    out,
    outcome: undefined,
    fault: undefined,
    frames: []
  }
  return end
}

const garbage = 0xdd

/** Delivers in pieces of at most `pieceBytes`, each in memory that is overwritten afterwards. Returns whether the last wanted more. */
export const deliver = (to: End, bytes: Uint8Array, pieceBytes = bytes.length): boolean => {
  let more = true
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.slice(at, at + pieceBytes)
    more = to.wire.push(piece)
    piece.fill(garbage)
  }
  return more
}

/** Carries everything that both want to send, until neither wants to. */
export const exchange = (a: End, b: End, pieceBytes?: number): void => {
  while (a.out.length + b.out.length > 0) {
    for (const [from, to] of [[a, b], [b, a]] as const) {
      for (const bytes of from.out.splice(0)) deliver(to, bytes, pieceBytes)
    }
  }
}

/** Both ends after the handshake, collecting frames. */
export const connected = (
  one: Partial<HandshakeSetup> = {},
  two: Partial<HandshakeSetup> = {},
  pieceBytes?: number,
  ledger?: ByteLedger
): readonly [End, End] => {
  const a = endOf(setupOf(1, one), ledger)
  const b = endOf(setupOf(2, two), ledger)
  a.wire.start()
  b.wire.start()
  exchange(a, b, pieceBytes)
  return [a, b]
}

export const collect = (end: End): void => {
  end.wire.receive((body) => {
    end.frames.push(body)
    return true
  })
}

/** Different bytes at every position of every seed. */
export const pattern = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed * 13) & 0xff)
