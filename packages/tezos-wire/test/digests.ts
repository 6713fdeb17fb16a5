// Digests of another family of code than the adapters', so that a test of a codec does not depend on them.
import { blake2b } from "@noble/hashes/blake2.js"
import { sha256 } from "@noble/hashes/sha2.js"
import type { Digests } from "@peerstrap/tezos-wire"

export const digests: Digests = {
  blake2b: (bytes, digestBytes) => blake2b(bytes, { dkLen: digestBytes }),
  sha256: (bytes) => sha256(bytes)
}
