/** Misbehaviours of a connection's bytes: paced, dripped, cut, silent, or not TChannel at all. Wraps the server's end. */
import type { Connection, ConnectionClosed } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { ReplicaControl } from "./ReplicaControl.ts"

/** Steps of a paced write: twenty a second, at most 64 KiB. */
const stepsPerSecond = 20
const maxStepBytes = 65_536

const httpAnswer = new TextEncoder().encode(
  "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

const sizeOf = (chunks: ReadonlyArray<Uint8Array>): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0)

/** The first `bytes` of the chunks. */
const cutTo = (chunks: ReadonlyArray<Uint8Array>, bytes: number): ReadonlyArray<Uint8Array> => {
  const out: Array<Uint8Array> = []
  let left = bytes
  for (const chunk of chunks) {
    if (left <= 0) break
    out.push(chunk.subarray(0, left))
    left -= chunk.length
  }
  return out
}

/** The chunks in pieces of at most `stepBytes`. */
const pieces = (chunks: ReadonlyArray<Uint8Array>, stepBytes: number): ReadonlyArray<Uint8Array> =>
  chunks.flatMap((chunk) => {
    const out: Array<Uint8Array> = []
    for (let at = 0; at < chunk.length; at += stepBytes) out.push(chunk.subarray(at, at + stepBytes))
    return out
  })

/** The connection under the behaviours of the moment. `onSent` is told the bytes that have really left. */
export const behavedConnection = (
  connection: Connection,
  control: ReplicaControl,
  onSent: (bytes: number) => void
): Connection => {
  let sentBytes = 0
  let silent = false
  let paidUntilMillis = 0
  const oneWriter = Semaphore.makeUnsafe(1)

  const raw = (chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, ConnectionClosed> => {
    const bytes = sizeOf(chunks)
    sentBytes += bytes
    return Effect.tap(connection.write(chunks), () => Effect.sync(() => onSent(bytes)))
  }

  const paced = Effect.fnUntraced(function*(chunks: ReadonlyArray<Uint8Array>, bytesPerSecond: number) {
    const stepBytes = Math.max(1, Math.min(maxStepBytes, Math.floor(bytesPerSecond / stepsPerSecond)))
    for (const piece of pieces(chunks, stepBytes)) {
      const now = yield* Clock.currentTimeMillis
      paidUntilMillis = Math.max(now, paidUntilMillis) + piece.length * 1_000 / bytesPerSecond
      yield* raw([piece])
      yield* Effect.sleep(paidUntilMillis - now)
    }
  })

  const dripped = Effect.fnUntraced(function*(chunks: ReadonlyArray<Uint8Array>, millis: number) {
    for (const piece of pieces(chunks, 1)) {
      yield* raw([piece])
      yield* millis > 0 ? Effect.sleep(millis) : Effect.yieldNow
    }
  })

  const shaped = (chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, ConnectionClosed> => {
    const slow = control.behaviours.get("slow")
    const drip = control.behaviours.get("drip")
    if (drip !== undefined) return Semaphore.withPermit(oneWriter, dripped(chunks, drip.millis))
    if (slow !== undefined) return Semaphore.withPermit(oneWriter, paced(chunks, slow.bytesPerSecond))
    return raw(chunks)
  }

  const closing = (reason: string) => Effect.sync(() => connection.close(reason))

  const write = (chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, ConnectionClosed> =>
    Effect.suspend(() => {
      if (silent) return Effect.void
      if (control.behaviours.has("http")) return Effect.andThen(raw([httpAnswer]), closing("http"))
      const halfOpen = control.behaviours.get("half-open")?.bytes ?? Number.POSITIVE_INFINITY
      const cut = control.behaviours.get("cut")?.bytes ?? Number.POSITIVE_INFINITY
      const left = Math.max(0, Math.min(halfOpen, cut) - sentBytes)
      if (sizeOf(chunks) <= left) return shaped(chunks)
      silent = true
      const last = shaped(cutTo(chunks, left))
      return cut <= halfOpen ? Effect.andThen(last, closing(`cut after ${cut} bytes`)) : last
    })

  return {
    remote: connection.remote,
    receive: (consumer) => connection.receive(consumer),
    resume: () => connection.resume(),
    write,
    close: (reason) => connection.close(reason),
    closed: connection.closed
  }
}
