/** A transport of one's own: the plugin `transport.websocket`. Bytes travel in binary messages; where a message ends means nothing. */
import { configDefault, definePlugin, Type } from "@peerstrap/plugin-host"
import * as Transports from "@peerstrap/transport"
import { type Address, type CloseReason, type Connection, formatAddress, Transport } from "@peerstrap/transport"
import { transportKind } from "@peerstrap/transport/plugin"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { WebSocket, WebSocketServer } from "ws"

/** A message is held whole before it is handed on: nobody may send a larger one. */
const options = { maxPayload: 64 * 1024, perMessageDeflate: false } as const

/** A socket as a connection. `Inbox` keeps the order of bytes, pauses and end that all transports have in common. */
const connectionOver = (socket: WebSocket, remote: string): Connection => {
  const ended = Deferred.makeUnsafe<CloseReason>()
  let reason: CloseReason | undefined
  const inbox = new Transports.Inbox({
    wanted: () => socket.resume(),
    finished: (why) => {
      reason = why
      socket.terminate()
      Deferred.doneUnsafe(ended, Effect.succeed(why))
    }
  })
  // Nothing is read before there is a consumer.
  socket.pause()
  socket.on("open", () => socket.pause())
  socket.on("message", (bytes: Uint8Array) => {
    if (!inbox.offer(bytes)) socket.pause()
  })
  socket.on("close", () => inbox.end({ kind: "end", message: "the other side closed the connection" }))
  socket.on("error", ({ message }) => inbox.abort({ kind: "error", message }))
  const gone = (message: string) =>
    Effect.fail(new Transports.ConnectionClosed({ remote, reason: reason?.message ?? message }))
  return {
    remote,
    closed: Deferred.await(ended),
    receive: (consumer) => inbox.receive(consumer),
    resume: () => inbox.resume(),
    close: (why) => inbox.abort({ kind: "local", message: why }),
    write: (chunks) =>
      Effect.callback((resume) => {
        if (reason !== undefined) return resume(gone(reason.message))
        for (const chunk of chunks) {
          for (let at = 0; at < chunk.length; at += options.maxPayload) {
            socket.send(chunk.subarray(at, at + options.maxPayload))
          }
        }
        // What is sent goes out in order: when this empty message has left, so has the rest.
        socket.send("", (error) => resume(error ? gone(error.message) : Effect.void))
      })
  }
}

const opened = (socket: WebSocket, remote: string): Effect.Effect<void, Transports.DialError> =>
  Effect.callback((resume) => {
    socket.on("open", () => resume(Effect.void))
    socket.on("error", ({ message }) => {
      const reason = message.includes("ECONNREFUSED") ? "refused" : message.includes("timed out") ? "timeout" : "other"
      resume(Effect.fail(new Transports.DialError({ address: remote, reason, fault: "unknown", message })))
    })
  })

/** Only the waiting can be interrupted: a socket that exists belongs to the scope. */
const dial = (address: Address, handshakeTimeout: number) =>
  Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
    const remote = formatAddress(address)
    const socket = new WebSocket(`ws://${remote}`, { ...options, handshakeTimeout })
    const connection = connectionOver(socket, remote)
    const { release } = yield* Transports.connectionScope((reason) => connection.close(reason))
    socket.on("close", release)
    const giveUp = Effect.sync(() => connection.close("the dial was given up"))
    yield* Effect.onError(restore(opened(socket, remote)), () => giveUp)
    return connection
  }))

const listen = Effect.fnUntraced(function*(address: Address, onConnection: (one: Connection) => Effect.Effect<void>) {
  // Finalizers run last to first: first the connections end, then the port is given back.
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => new WebSocketServer({ ...options, ...address })),
    (one) => Effect.callback<void>((resume) => one.close(() => resume(Effect.void)))
  )
  const accept = yield* Transports.acceptor(onConnection)
  server.on(
    "connection",
    (socket, { socket: { remoteAddress, remotePort } }) =>
      accept(connectionOver(socket, formatAddress({ host: remoteAddress ?? "unknown", port: remotePort ?? 0 })))
  )
  return yield* Effect.callback<Transports.Listener, Transports.ListenError>((resume) => {
    server.on(
      "error",
      ({ message }) => resume(Effect.fail(new Transports.ListenError({ address: formatAddress(address), message })))
    )
    server.on("listening", () => {
      const bound = server.address()
      const port = typeof bound === "object" && bound !== null ? bound.port : address.port
      resume(Effect.succeed({ address: { host: address.host, port } }))
    })
  })
})

export const webSockets = definePlugin({
  id: "transport.websocket",
  version: "1.0.0",
  stability: "beta",
  summary: "Connections over WebSocket.",
  provides: [transportKind],
  requires: [],
  config: Schema.Struct({
    handshake: configDefault(Type.millis("10s"), "10s", "Time for a connection to be made.")
  }),
  layer: ({ handshake }) =>
    Layer.succeed(Transport, { dial: (address, given) => dial(address, given?.timeoutMillis ?? handshake), listen })
})
