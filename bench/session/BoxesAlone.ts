/**
 * The rival: `sodium-native` alone, called directly: seals and opens chunks of the same sizes as the frames make, in two buffers that are used again
 * and again; no nonces are counted, no lengths written, no frames cut.
 * Usage: BoxesAlone.ts BODY_BYTES COUNT
 */
import { SessionLimits } from "@peerstrap/tezos-wire"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { startTiming, tell } from "../method/Side.ts"

const [bodyBytes, count] = process.argv.slice(2).map(Number) as [number, number]
interface Boxes {
  crypto_secretbox_easy(sealed: Uint8Array, plaintext: Uint8Array, nonce: Uint8Array, key: Uint8Array): void
  crypto_secretbox_open_easy(plaintext: Uint8Array, sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): boolean
}
const wire = fileURLToPath(new URL("../../packages/tezos-wire/package.json", import.meta.url))
const sodium = createRequire(wire)("sodium-native") as Boxes
const tagBytes = 16
const sizeBytes = 4
const key = new Uint8Array(32).fill(1)
const nonce = new Uint8Array(24).fill(2)

const chunks: Array<{ readonly plaintext: Uint8Array; readonly sealed: Uint8Array; readonly opened: Uint8Array }> = []
for (let left = sizeBytes + bodyBytes; left > 0; left -= SessionLimits.maxPlaintextChunkBytes) {
  const length = Math.min(left, SessionLimits.maxPlaintextChunkBytes)
  const sealed = new Uint8Array(tagBytes + length)
  chunks.push({ plaintext: new Uint8Array(length), sealed, opened: sealed.subarray(tagBytes) })
}
const carry = (frames: number): void => {
  for (let i = 0; i < frames; i++) {
    for (const { opened, plaintext, sealed } of chunks) {
      sodium.crypto_secretbox_easy(sealed, plaintext, nonce, key)
      if (!sodium.crypto_secretbox_open_easy(opened, sealed, nonce, key)) throw new Error("a box that does not open")
    }
  }
}
carry(Math.ceil(count / 10))
const end = startTiming()
carry(count)
tell(end({ bytes: count * bodyBytes, items: count }))
