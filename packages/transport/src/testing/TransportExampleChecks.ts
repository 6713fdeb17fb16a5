/**
 * What every `Transport` does, by example. Nothing in here waits for time: checks wait for events, and "nothing more happens" is judged after a
 * fixed number of turns of the scheduler.
 */
import { type Check, expectFailure, expectSame, isDone, turns } from "@peerstrap/conformance"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import assert from "node:assert/strict"
import { type Connection, formatAddress, Transport } from "../contract/Transport.ts"
import { anyPort, collect, connectedPair, pattern } from "./Probes.ts"

/** One check of the contract. */
const check = (name: string, run: Check<Transport>["run"]): Check<Transport> => ({ name, run })

/** More than the buffers of a kernel's two sockets hold together (6 + 4 MiB by Linux's defaults). */
const floodBytes = 48 * 1024 * 1024
const floodPiece = new Uint8Array(512 * 1024)
/** As many bytes in the form of one write, without the memory for them. */
const floodChunks = Array.from({ length: floodBytes / floodPiece.length }, () => floodPiece)

const writeInPieces = Effect.fnUntraced(function*(connection: Connection, bytes: Uint8Array, pieceBytes: number) {
  for (let at = 0; at < bytes.length; at += pieceBytes * 3) {
    const chunks = [0, 1, 2].map((i) => bytes.subarray(at + i * pieceBytes, at + (i + 1) * pieceBytes))
    yield* connection.write(chunks)
  }
})

const batch = (value: number) => Array.from({ length: 50 }, () => new Uint8Array(200).fill(value))

const order: ReadonlyArray<Check<Transport>> = [
  check(
    "carries bytes in order in both directions at once",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const toFar = pattern(300_001, 1)
      const toNear = pattern(200_003, 2)
      const atFar = collect(far)
      const atNear = collect(near)
      yield* Effect.all([writeInPieces(near, toFar, 1_013), writeInPieces(far, toNear, 4_099)], { concurrency: 2 })
      yield* Effect.all([atFar.until(toFar.length), atNear.until(toNear.length)], { concurrency: 2 })
      assert.ok(Buffer.from(atFar.bytes()).equals(toFar), "bytes to the listener differ")
      assert.ok(Buffer.from(atNear.bytes()).equals(toNear), "bytes to the dialler differ")
    })
  ),
  check(
    "keeps the chunks of one write together when several fibers write",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(far)
      yield* Effect.forEach([1, 2, 3, 4], (value) => near.write(batch(value)), { concurrency: "unbounded" })
      yield* received.until(40_000)
      const bytes = received.bytes()
      const runs = bytes.reduce((count, byte, i) => i === 0 || bytes[i - 1] !== byte ? count + 1 : count, 0)
      assert.equal(runs, 4, "the batches of four writers are mixed")
    })
  ),
  check(
    "completes an empty write and never delivers an empty chunk",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(far)
      yield* near.write([])
      yield* near.write([new Uint8Array(0), new Uint8Array([7]), new Uint8Array(0)])
      yield* received.until(1)
      yield* turns(20)
      assert.deepEqual([...received.bytes()], [7])
      assert.ok(received.sizes().every((size) => size > 0), "an empty chunk was delivered")
    })
  ),
  check(
    "has taken over the bytes when a write completes",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const buffer = new Uint8Array(1_000)
      // A view made by Node, whose `slice` does not copy.
      const nodeBuffer = Buffer.alloc(1_000)
      for (let round = 1; round <= 20; round++) {
        yield* near.write([buffer.fill(round)])
        yield* near.write([nodeBuffer.fill(round)])
      }
      buffer.fill(0xff)
      nodeBuffer.fill(0xff)
      const received = collect(far)
      yield* received.until(40_000)
      assert.ok(
        received.bytes().every((byte, i) => byte === Math.floor(i / 2_000) + 1),
        "later writes changed earlier bytes"
      )
      assert.ok(nodeBuffer.every((byte) => byte === 0xff), "the writer's memory was changed")
    })
  )
]

const pausing: ReadonlyArray<Check<Transport>> = [
  check(
    "keeps bytes that arrive before `receive`",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const sent = pattern(50_000, 3)
      yield* near.write([sent])
      yield* turns(50)
      const received = collect(far)
      yield* received.until(sent.length)
      assert.ok(Buffer.from(received.bytes()).equals(sent))
    })
  ),
  check(
    "delivers nothing during a pause and loses nothing by it",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const sent = pattern(400_000, 4)
      const writing = yield* Effect.forkScoped(writeInPieces(near, sent, 10_000))
      let paused = false
      let duringPause = 0
      const received = collect(far, () => {
        if (paused) duringPause++
        paused = true
        return false
      })
      // A resume may deliver at once or later: wait for more than there was before it.
      for (let before = 0; before < sent.length;) {
        yield* received.until(before + 1)
        yield* turns(5)
        before = received.count()
        paused = false
        far.resume()
      }
      yield* Fiber.join(writing)
      assert.equal(duringPause, 0, "chunks were delivered during a pause")
      assert.ok(Buffer.from(received.bytes()).equals(sent), "bytes differ after pauses")
    })
  ),
  check(
    "takes a `resume` during the consumer's call as the end of that pause",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(far, () => {
        far.resume()
        return false
      })
      yield* near.write([pattern(100_000, 5)])
      yield* near.write([pattern(100_000, 6)])
      yield* received.until(200_000)
    })
  ),
  check(
    "makes writers wait while the other side does not read",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      let written = 0
      let total = floodBytes
      const flood = Effect.gen(function*() {
        for (; written < total; written += floodPiece.length) yield* near.write([floodPiece])
      })
      const writing = yield* Effect.forkScoped(flood)
      yield* turns(2_000)
      assert.ok(!isDone(writing), `a writer got rid of ${floodBytes} bytes that nobody read`)
      // That it waits is proved: a little more shows that it goes on.
      total = Math.min(floodBytes, written + 4 * floodPiece.length)
      let taken = 0
      far.receive((chunk) => {
        taken += chunk.length
        return true
      })
      yield* Fiber.join(writing)
      near.close("done")
      yield* far.closed
      yield* expectSame("bytes before the end", taken, total)
    })
  )
]

const ending: ReadonlyArray<Check<Transport>> = [
  check(
    "a local close is final, idempotent and named",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(near)
      near.close("first")
      near.close("second")
      yield* expectSame("a second close renames the first", yield* near.closed, { kind: "local", message: "first" })
      const error = yield* expectFailure("a write after the close", near.write([new Uint8Array(1)]))
      yield* expectSame("error of a write after the close", error._tag, "ConnectionClosed")
      yield* Effect.ignore(far.write([pattern(1_000, 7)]))
      yield* turns(50)
      assert.equal(received.count(), 0, "bytes were delivered after close")
      assert.equal((yield* near.closed).message, "first")
    })
  ),
  check(
    "delivers what was written before the other side closed, then ends with kind `end`",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const sent = pattern(60_000, 8)
      const received = collect(far)
      yield* near.write([sent])
      near.close("said everything")
      yield* expectSame("kind of the end", (yield* far.closed).kind, "end")
      assert.ok(Buffer.from(received.bytes()).equals(sent), "the last bytes are missing")
    })
  ),
  check(
    "completes `closed` only after everything received has been consumed",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      const received = collect(far, () => false)
      yield* writeInPieces(near, pattern(150_000, 9), 10_000)
      near.close("done")
      yield* received.until(1)
      const closed = yield* Effect.forkScoped(far.closed)
      yield* turns(100)
      while (received.count() < 150_000) {
        assert.ok(!isDone(closed), "closed before the last bytes were consumed")
        const before = received.count()
        far.resume()
        yield* received.until(before + 1)
        yield* turns(2)
      }
      far.resume()
      assert.equal((yield* Fiber.join(closed)).kind, "end")
    })
  ),
  check(
    "fails a write that waits when the connection ends, on either side",
    Effect.gen(function*() {
      for (const side of ["near", "far"] as const) {
        const pair = yield* connectedPair
        const writing = yield* Effect.forkScoped(Effect.exit(pair.near.write(floodChunks)))
        yield* turns(100)
        if (side === "far") pair.near.receive(() => true)
        pair[side].close("enough")
        assert.ok(Exit.isFailure(yield* Fiber.join(writing)), `the write survived the close of the ${side} side`)
      }
    })
  ),
  check(
    "refuses a second consumer",
    Effect.gen(function*() {
      const { near } = yield* connectedPair
      near.receive(() => true)
      assert.throws(() => near.receive(() => true), "a second consumer is accepted")
    })
  ),
  check(
    "survives a consumer that throws: the connection ends as an error",
    Effect.gen(function*() {
      const { far, near } = yield* connectedPair
      far.receive(() => {
        throw new Error("a defect in a consumer")
      })
      yield* near.write([new Uint8Array(10)])
      assert.equal((yield* far.closed).kind, "error")
    })
  )
]

const lifecycle: ReadonlyArray<Check<Transport>> = [
  check(
    "refuses a dial where nobody listens",
    Effect.gen(function*() {
      const transport = yield* Transport
      const freed = yield* Effect.scoped(
        Effect.map(transport.listen(anyPort, () => Effect.void), (listener) => listener.address)
      )
      const error = yield* expectFailure("a dial where nobody listens", transport.dial(freed))
      yield* expectSame("error of the refusal", error._tag, "DialError")
      yield* expectSame("reason of the refusal", error.reason, "refused")
    })
  ),
  check(
    "chooses a port, names the remote, and serves many connections on one listener",
    Effect.gen(function*() {
      const transport = yield* Transport
      const listener = yield* transport.listen(anyPort, (connection) => {
        connection.receive(() => true)
        return connection.write([Buffer.from("hello")]).pipe(
          Effect.ignore,
          Effect.andThen(Effect.asVoid(connection.closed))
        )
      })
      assert.ok(listener.address.port > 0)
      yield* Effect.forEach(Array.from({ length: 20 }), () =>
        Effect.scoped(Effect.gen(function*() {
          const connection = yield* transport.dial(listener.address)
          yield* expectSame("remote", connection.remote, formatAddress(listener.address))
          const received = collect(connection)
          yield* received.until(5)
          assert.equal(Buffer.from(received.bytes()).toString(), "hello")
        })), { concurrency: 10 })
    })
  ),
  check(
    "ends a dialled connection with its scope",
    Effect.gen(function*() {
      const pair = yield* Effect.scoped(connectedPair)
      assert.equal((yield* pair.near.closed).kind, "local")
    })
  ),
  check(
    "ends an accepted connection with its fiber",
    Effect.gen(function*() {
      const transport = yield* Transport
      const listener = yield* transport.listen(anyPort, () => Effect.void)
      const connection = yield* transport.dial(listener.address)
      connection.receive(() => true)
      assert.equal((yield* connection.closed).kind, "end")
    })
  ),
  check(
    "ends accepted connections, and interrupts their fibers, with the listener's scope",
    Effect.gen(function*() {
      const transport = yield* Transport
      let interrupted = 0
      const accepted = yield* Deferred.make<void>()
      const scope = yield* Effect.scope
      const connection = yield* Effect.scoped(Effect.gen(function*() {
        const listener = yield* transport.listen(anyPort, () => {
          Deferred.doneUnsafe(accepted, Effect.void)
          return Effect.onInterrupt(Effect.never, () =>
            Effect.sync(() => {
              interrupted++
            }))
        })
        const dialled = yield* Scope.provide(transport.dial(listener.address), scope)
        yield* Deferred.await(accepted)
        return dialled
      }))
      connection.receive(() => true)
      assert.equal((yield* connection.closed).kind, "end")
      yield* expectSame("fibers interrupted", interrupted, 1)
    })
  )
]

/** Order, pauses, ends, and the lives of listeners and connections. */
export const transportExampleChecks: ReadonlyArray<Check<Transport>> = [...order, ...pausing, ...ending, ...lifecycle]
