/**
 * Our side: frames through a session, sealed at one end and opened and cut into frames at the other, over the memory transport.
 * Usage: Frames.ts BODY_BYTES COUNT
 */
import { NativeCrypto } from "@peerstrap/tezos-wire"
import { Memory } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { startTiming, tell } from "../method/Side.ts"
import { makeShaking } from "./Ends.ts"

const [bodyBytes, count] = process.argv.slice(2).map(Number) as [number, number]
/** Frames of one `send`: what a peer's outbox hands over at once. */
const perSend = 64

const program = Effect.gen(function*() {
  const { shake } = yield* makeShaking(yield* NativeCrypto.load)
  const [near, far] = yield* shake
  const bodies = Array.from({ length: perSend }, (_, i) => new Uint8Array(bodyBytes).fill(i))
  let left = 0
  let arrived = Deferred.makeUnsafe<void>()
  far.receive((body) => {
    if (body.length !== bodyBytes) throw new Error(`a frame of ${body.length} bytes`)
    if (--left === 0) Deferred.doneUnsafe(arrived, Effect.void)
    return true
  })
  const carry = Effect.fnUntraced(function*(frames: number) {
    left = frames
    arrived = Deferred.makeUnsafe<void>()
    for (let sent = 0; sent < frames; sent += perSend) {
      yield* near.send(frames - sent < perSend ? bodies.slice(0, frames - sent) : bodies)
    }
    yield* Deferred.await(arrived)
  })
  yield* carry(Math.ceil(count / 10))
  globalThis.gc?.()
  const end = startTiming()
  yield* carry(count)
  tell(end({ bytes: count * bodyBytes, items: count }))
})
await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(Memory.layer)))
