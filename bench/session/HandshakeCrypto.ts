/**
 * The rival: the cryptography that both ends of a handshake cannot do without, and nothing else: for each end one key agreement, two boxes sealed
 * (metadata, ack) and two opened.
 * Usage: HandshakeCrypto.ts COUNT
 */
import { NativeCrypto } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"
import { startTiming, tell } from "../method/Side.ts"

const count = Number(process.argv[2])
const crypto = await Effect.runPromise(NativeCrypto.load)
const tagBytes = 16
const ends = 2
const near = crypto.keyPair()
const far = crypto.keyPair()
const nonce = crypto.randomBytes(24)
// A metadata message and an ack, as they are sealed.
const messages = [new Uint8Array(2), new Uint8Array(1)]
const sealed = messages.map((message) => new Uint8Array(tagBytes + message.length))

const one = (): void => {
  for (let end = 0; end < ends; end++) {
    const key = end === 0
      ? crypto.sharedKey(far.publicKey, near.secretKey)!
      : crypto.sharedKey(near.publicKey, far.secretKey)!
    for (let i = 0; i < messages.length; i++) {
      crypto.sealInto(sealed[i]!, 0, messages[i]!, nonce, key)
      if (crypto.open(sealed[i]!, nonce, key) === undefined) throw new Error("a box that does not open")
    }
  }
}
for (let i = 0; i < count / 10; i++) one()
const end = startTiming()
for (let i = 0; i < count; i++) one()
tell(end({ bytes: 0, items: count }))
