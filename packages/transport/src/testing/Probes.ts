/** Small observers for the checks: a connected pair, a collecting consumer. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type Address, type Connection, Transport } from "../contract/Transport.ts"
import { copyBytes } from "../engine/copyBytes.ts"

/** An address of this machine, with a port that the transport chooses. */
export const anyPort: Address = { host: "127.0.0.1", port: 0 }

/** Bytes that differ at every offset modulo 251 and by seed, so that a loss, a swap or a repeat shows. */
export const pattern = (length: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >>> 8) * 13 + seed * 31) % 251
  return bytes
}

/** A dialled connection (`near`) and its accepted other end (`far`), held open by the scope. */
export const connectedPair = Effect.gen(function*() {
  const transport = yield* Transport
  const accepted = yield* Deferred.make<Connection>()
  const listener = yield* transport.listen(anyPort, (connection) => {
    Deferred.doneUnsafe(accepted, Effect.succeed(connection))
    return Effect.never
  })
  const near = yield* transport.dial(listener.address)
  const far = yield* Deferred.await(accepted)
  return { near, far }
})

/** What a consumer has received so far. */
export interface Collected {
  /** A copy of everything received. */
  bytes(): Uint8Array
  /** How many bytes were received. */
  count(): number
  sizes(): ReadonlyArray<number>
  /** Completes when `total` bytes have come. */
  until(total: number): Effect.Effect<void>
}

/** Installs a consumer that copies each chunk and then asks `more` (default: always) whether to go on. */
export const collect = (connection: Connection, more: () => boolean = () => true): Collected => {
  const chunks: Array<Uint8Array> = []
  const sizes: Array<number> = []
  let count = 0
  let waiting: { readonly total: number; readonly done: Deferred.Deferred<void> } | undefined
  connection.receive((chunk) => {
    chunks.push(copyBytes(chunk))
    sizes.push(chunk.length)
    count += chunk.length
    if (waiting !== undefined && count >= waiting.total) Deferred.doneUnsafe(waiting.done, Effect.void)
    return more()
  })
  return {
    bytes: () => {
      const all = new Uint8Array(count)
      let at = 0
      for (const chunk of chunks) {
        all.set(chunk, at)
        at += chunk.length
      }
      return all
    },
    count: () => count,
    sizes: () => sizes,
    until: (total) =>
      Effect.suspend(() => {
        if (count >= total) return Effect.void
        waiting = { total, done: Deferred.makeUnsafe<void>() }
        return Deferred.await(waiting.done)
      })
  }
}
