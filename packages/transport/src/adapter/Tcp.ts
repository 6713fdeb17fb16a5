/**
 * TCP over `node:net`. Dialled connections read through one reused buffer (`onread`, twice the throughput of `data`
 * events); accepted ones use `data`, because Node offers `onread` to the connecting side only.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Net from "node:net"
import { Limits } from "../contract/Limits.ts"
import {
  type Address,
  type Connection,
  DialError,
  type DialOptions,
  type DialReason,
  formatAddress,
  ListenError,
  Transport
} from "../contract/Transport.ts"
import { acceptor, connectionScope } from "./Accepting.ts"
import { TcpConnection } from "./TcpConnection.ts"

const reasonOfCode: Readonly<Record<string, DialReason>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "refused",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  ENETDOWN: "unreachable",
  ENOTFOUND: "unknown-host",
  EAI_AGAIN: "unknown-host",
  EAI_NODATA: "unknown-host",
  EAI_NONAME: "unknown-host"
}

/** Causes that lie in this process or machine: no descriptors, ports, memory or permission, or a port out of range. */
const selfCodes: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EADDRNOTAVAIL",
  "EADDRINUSE",
  "EACCES",
  "EPERM",
  "ERR_SOCKET_BAD_PORT",
  "ERR_INVALID_ARG_TYPE"
])

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : ""

const messageOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : codeOf(error)

/** Turns what the system said into a `DialError`. */
export const dialErrorOf = (address: Address, error: unknown): DialError => {
  const code = codeOf(error)
  const reason = Object.hasOwn(reasonOfCode, code) ? reasonOfCode[code]! : "other"
  return new DialError({
    address: formatAddress(address),
    reason,
    fault: selfCodes.has(code) ? "self" : "unknown",
    message: `cannot connect to ${formatAddress(address)}: ${messageOf(error)}`
  })
}

// Reads are synchronous on POSIX (allocate, read, call back in one turn), so that all connections of a thread share one
// buffer; with overlapped reads each connection needs its own.
let sharedReadBuffer: Uint8Array | undefined
const readBuffer = (): Uint8Array => {
  if (process.platform === "win32") return new Uint8Array(Limits.readBufferBytes)
  sharedReadBuffer ??= new Uint8Array(Limits.readBufferBytes)
  return sharedReadBuffer
}

/** Starts to connect. The socket is paused: nothing is read before the consumer is installed. */
const openSocket = (address: Address): { readonly socket: Net.Socket; readonly connection: TcpConnection } => {
  let connection: TcpConnection | undefined
  const socket = Net.connect({
    host: address.host,
    port: address.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: Limits.keepAliveDelayMillis,
    allowHalfOpen: true,
    onread: {
      buffer: readBuffer(),
      callback: (length, buffer) => connection!.offer(buffer.subarray(0, length))
    }
  })
  socket.pause()
  connection = new TcpConnection(socket, formatAddress(address), "dialled")
  return { socket, connection }
}

const connected = (address: Address, socket: Net.Socket): Effect.Effect<void, DialError> =>
  Effect.callback<void, DialError>((resume) => {
    const onConnect = () => {
      detach()
      resume(Effect.void)
    }
    const onError = (error: Error) => {
      detach()
      resume(Effect.fail(dialErrorOf(address, error)))
    }
    const detach = () => {
      socket.off("connect", onConnect)
      socket.off("error", onError)
    }
    socket.on("connect", onConnect)
    socket.on("error", onError)
    return Effect.sync(detach)
  })

const dial = (address: Address, options?: DialOptions): Effect.Effect<Connection, DialError, Scope.Scope> =>
  Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
    const timeoutMillis = options?.timeoutMillis ?? Limits.dialTimeoutMillis
    const { connection, socket } = yield* Effect.try({
      try: () => openSocket(address),
      catch: (error) => dialErrorOf(address, error)
    })
    const { release, scope } = yield* connectionScope((reason) => connection.close(reason))
    connection.onEnd(release)
    yield* restore(connected(address, socket)).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMillis,
        orElse: () =>
          Effect.fail(
            new DialError({
              address: formatAddress(address),
              reason: "timeout",
              fault: "unknown",
              message: `no answer from ${
                formatAddress(address)
              } within ${timeoutMillis} ms; the option is timeoutMillis`
            })
          )
      }),
      Effect.onExit((exit) => Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void)
    )
    return connection
  }))

const opened = (address: Address, server: Net.Server): Effect.Effect<Address, ListenError> =>
  Effect.callback<Address, ListenError>((resume) => {
    server.once("error", (error) =>
      resume(Effect.fail(
        new ListenError({
          address: formatAddress(address),
          message: `cannot listen on ${formatAddress(address)}: ${messageOf(error)}`
        })
      )))
    try {
      server.listen(address.port, address.host, () => {
        const bound = server.address()
        const port = typeof bound === "object" && bound !== null ? bound.port : address.port
        resume(Effect.succeed({ host: address.host, port }))
      })
    } catch (error) {
      server.emit("error", error)
    }
  })

const listen = Effect.fnUntraced(function*(
  address: Address,
  onConnection: (connection: Connection) => Effect.Effect<void>
) {
  const server = Net.createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: Limits.keepAliveDelayMillis,
    allowHalfOpen: true,
    pauseOnConnect: true
  })
  server.maxConnections = Limits.acceptedConnections
  // Finalizers run last to first: stop accepting, end the connections' fibers, then wait for the port to be free.
  yield* Effect.addFinalizer(() => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void))))
  const accept = yield* acceptor(onConnection)
  yield* Effect.addFinalizer(() => Effect.sync(() => void server.close(() => {})))
  server.on("connection", (socket) => {
    const remote = formatAddress({ host: socket.remoteAddress ?? "unknown", port: socket.remotePort ?? 0 })
    accept(new TcpConnection(socket, remote, "accepted"))
  })
  const bound = yield* opened(address, server)
  // A failed accept (no descriptors left) must not end the process; the next one may succeed.
  server.on("error", () => {})
  return { address: bound }
})

/** `Transport` over TCP: no delay, keep-alive, reads of up to `Limits.readBufferBytes` on dialled connections. */
export const layer: Layer.Layer<Transport> = Layer.succeed(Transport)({ dial, listen })
