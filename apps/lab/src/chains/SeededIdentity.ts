/** Identities of embedded peers: the same for the same seed, and with a proof of the network's work. */
import { type Digests, type Identity, meetsTarget, proofOfWorkTarget } from "@peerstrap/tezos-wire"
import type { CryptoFunctions } from "@peerstrap/tezos-wire"
import { identityFromSeed } from "@peerstrap/tezos-wire/testing"

const stampCounterAt = 20

const withWork = (digests: Digests, identity: Identity, difficulty: number): Identity => {
  const target = proofOfWorkTarget(difficulty)
  const { proofOfWorkStamp, publicKey } = identity
  const input = new Uint8Array(publicKey.length + proofOfWorkStamp.length)
  input.set(publicKey)
  input.set(proofOfWorkStamp, publicKey.length)
  const counter = new DataView(input.buffer, publicKey.length + stampCounterAt)
  while (!meetsTarget(digests.blake2b(input, 32), target)) counter.setUint32(0, counter.getUint32(0) + 1)
  return { ...identity, proofOfWorkStamp: input.slice(publicKey.length) }
}

/** Takes 2^difficulty hashes on average, in this thread. */
export const seededIdentity = (crypto: CryptoFunctions, seed: string, difficulty: number): Identity =>
  withWork(crypto, identityFromSeed(crypto, seed), difficulty)
