/**
 * Our side: whole handshakes one after the other, both ends in this process, connection messages, proof of work, metadata and acks included.
 * Usage: Handshakes.ts COUNT
 */
import { NativeCrypto } from "@peerstrap/tezos-wire"
import { Memory } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import { startTiming, tell } from "../method/Side.ts"
import { makeShaking } from "./Ends.ts"

const count = Number(process.argv[2])

const program = Effect.gen(function*() {
  const { shake } = yield* makeShaking(yield* NativeCrypto.load)
  let bytes = 0
  const one = Effect.scoped(Effect.map(shake, ([near]) => {
    bytes += near.counters.bytesIn
  }))
  for (let i = 0; i < count / 10; i++) yield* one
  bytes = 0
  const end = startTiming()
  for (let i = 0; i < count; i++) yield* one
  tell(end({ bytes, items: count }))
})
await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(Memory.layer)))
