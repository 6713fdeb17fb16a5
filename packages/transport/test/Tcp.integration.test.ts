// Real sockets on loopback: bulk transfer with a slow consumer, resets, refused dials, descriptors.
import { assert, describe, it } from "@effect/vitest"
import { type Connection, DialError, Tcp, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Net from "node:net"

const anyPort = { host: "127.0.0.1", port: 0 }
const mebi = 1024 * 1024

/** A plain Node server beside ours, to see what an ordinary program on the other side sees. */
const plainServer = (onSocket: (socket: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Net.Server; readonly port: number }>((resume) => {
      const server = Net.createServer({ allowHalfOpen: true }, (socket) => {
        socket.on("error", () => {})
        onSocket(socket)
      })
      server.listen(0, "127.0.0.1", () => {
        const bound = server.address()
        resume(Effect.succeed({ server, port: typeof bound === "object" && bound !== null ? bound.port : 0 }))
      })
    }),
    ({ server }) => Effect.sync(() => void server.close())
  )

/** Takes everything, pausing after each chunk until a later turn of the event loop. */
const drainSlowly = (connection: Connection, onChunk: (chunk: Uint8Array) => void) =>
  connection.receive((chunk) => {
    onChunk(chunk)
    setImmediate(() => connection.resume())
    return false
  })

const seen = (code: string) => {
  const error = Tcp.dialErrorOf({ host: "db-1", port: 9000 }, Object.assign(new Error(code), { code }))
  return `${error.reason}/${error.fault}`
}

describe("Tcp", () => {
  for (const direction of ["to the dialler", "to the listener"] as const) {
    it.live(`moves 64 MiB ${direction} past a slow consumer with bounded memory`, () =>
      Effect.gen(function*() {
        const transport = yield* Transport
        const total = 64 * mebi
        const block = new Uint8Array(mebi).map((_, i) => i * 31 + (i >> 8))
        const received = yield* Deferred.make<
          { readonly bytes: number; readonly wrong: number; readonly ahead: number }
        >()
        let sent = 0
        const send = (connection: Connection) =>
          Effect.gen(function*() {
            for (; sent < total; sent += mebi) yield* connection.write([block])
            yield* connection.closed
          }).pipe(Effect.ignore)
        const take = (connection: Connection) =>
          Effect.gen(function*() {
            let bytes = 0
            let wrong = 0
            let ahead = 0
            drainSlowly(connection, (chunk) => {
              for (let i = 0; i < chunk.length; i += 997) if (chunk[i] !== block[(bytes + i) % mebi]) wrong++
              bytes += chunk.length
              ahead = Math.max(ahead, sent - bytes)
              if (bytes === total) Deferred.doneUnsafe(received, Effect.succeed({ bytes, wrong, ahead }))
            })
            yield* connection.closed
          })
        const listener = yield* transport.listen(anyPort, direction === "to the dialler" ? send : take)
        const connection = yield* transport.dial(listener.address)
        yield* Effect.forkScoped(direction === "to the dialler" ? take(connection) : send(connection))
        const result = yield* Deferred.await(received)
        assert.strictEqual(result.bytes, total)
        assert.strictEqual(result.wrong, 0)
        // What the kernel's two buffers hold at most, and nothing of ours; without back-pressure it is nearly all 64 MiB.
        assert.isBelow(result.ahead, 24 * mebi)
      }).pipe(Effect.provide(Tcp.layer)))
  }

  it.live("a refused dial says so and blames nobody", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const port = yield* Effect.scoped(Effect.map(plainServer(() => {}), (s) => s.port))
      const error = yield* Effect.flip(transport.dial({ host: "127.0.0.1", port }))
      assert.instanceOf(error, DialError)
      assert.strictEqual(error.reason, "refused")
      assert.strictEqual(error.fault, "unknown")
    }).pipe(Effect.provide(Tcp.layer)))

  it.live("a port out of range is our own fault, not a crash", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const error = yield* Effect.flip(transport.dial({ host: "127.0.0.1", port: 70_000 }))
      assert.deepStrictEqual([error.reason, error.fault], ["other", "self"])
      const refusal = yield* Effect.flip(transport.listen({ host: "127.0.0.1", port: 70_000 }, () => Effect.void))
      assert.strictEqual(refusal._tag, "ListenError")
    }).pipe(Effect.provide(Tcp.layer)))

  it.effect("a dial that gets no answer in time fails by Effect's clock", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const { port } = yield* plainServer(() => {})
      // No time at all passes on the test clock, and no connection can be made within the same turn.
      const error = yield* Effect.flip(transport.dial({ host: "127.0.0.1", port }, { timeoutMillis: 0 }))
      assert.deepStrictEqual([error.reason, error.fault], ["timeout", "unknown"])
    }).pipe(Effect.provide(Tcp.layer)))

  it("maps what the system says to a reason and a fault", () => {
    assert.deepStrictEqual(
      ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN", "EMFILE", "EWHATEVER"].map(
        seen
      ),
      [
        "refused/unknown",
        "timeout/unknown",
        "unreachable/unknown",
        "unreachable/unknown",
        "unknown-host/unknown",
        "unknown-host/unknown",
        "other/self",
        "other/unknown"
      ]
    )
  })

  it.live("a second listener on a taken port gets a ListenError", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const listener = yield* transport.listen(anyPort, () => Effect.void)
      const error = yield* Effect.flip(transport.listen(listener.address, () => Effect.void))
      assert.include(error.message, "EADDRINUSE")
    }).pipe(Effect.provide(Tcp.layer)))

  for (const reading of [true, false]) {
    it.live(`a reset mid-way fails the write that waits, ${reading ? "and ends the reader" : "without a reader, too"}`, () =>
      Effect.gen(function*() {
        const transport = yield* Transport
        const { port } = yield* plainServer((socket) => {
          socket.once("data", () => socket.resetAndDestroy())
        })
        const connection = yield* transport.dial({ host: "127.0.0.1", port })
        if (reading) connection.receive(() => true)
        const error = yield* Effect.flip(connection.write([new Uint8Array(32 * mebi)]))
        assert.strictEqual(error._tag, "ConnectionClosed")
        assert.strictEqual((yield* connection.closed).kind, "error")
      }).pipe(Effect.provide(Tcp.layer)))
  }

  it.live("a half-closed peer ends the connection with kind `end`, after its last bytes", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      const { port } = yield* plainServer((socket) => void socket.end("last words"))
      const connection = yield* transport.dial({ host: "127.0.0.1", port })
      let text = ""
      connection.receive((chunk) => {
        text += Buffer.from(chunk).toString("latin1")
        return true
      })
      assert.strictEqual((yield* connection.closed).kind, "end")
      assert.strictEqual(text, "last words")
    }).pipe(Effect.provide(Tcp.layer)))

  it.live("interrupting a dial destroys its socket", () =>
    Effect.gen(function*() {
      const transport = yield* Transport
      let accepted = 0
      const { port } = yield* plainServer(() => {
        accepted++
      })
      const dialling = yield* Effect.forkScoped(transport.dial({ host: "127.0.0.1", port }))
      yield* Fiber.interrupt(dialling)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(dialling)))
      // Whatever the kernel had already connected is gone: the next connection is served, and the server can close.
      const connection = yield* transport.dial({ host: "127.0.0.1", port })
      connection.close("done")
      assert.isAtMost(accepted, 2)
    }).pipe(Effect.provide(Tcp.layer)))
})
