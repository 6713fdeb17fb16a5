/** One dialled TChannel connection: a `ClientSession` on a transport's connection, with the handshake done. */
import { type Address, type DialError, Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type ClientCounters, ClientSession, type SessionOptions } from "../engine/ClientSession.ts"
import { type CallFailure, callFailure } from "../engine/PendingCall.ts"

export interface PeerConnection {
  readonly session: ClientSession
  /** Ends it at once. Idempotent. */
  close(reason: string): void
}

export interface ConnectOptions extends SessionOptions {
  readonly address: Address
  readonly dialTimeoutMillis: number
  readonly handshakeTimeoutMillis: number
}

const dialFailure = (error: DialError): CallFailure =>
  callFailure(error.fault === "self" ? "local" : "unreachable", `${error.reason}: ${error.message}`)

/** Milliseconds of the clock that never goes back, so that a wall clock set anew ends no call. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

const establish = Effect.fnUntraced(function*(
  options: ConnectOptions,
  counters: ClientCounters,
  scope: Scope.Closeable
) {
  const transport = yield* Transport
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(yield* Effect.context<never>())
  counters.dials++
  const connection = yield* transport.dial(options.address, { timeoutMillis: options.dialTimeoutMillis }).pipe(
    Scope.provide(scope),
    Effect.mapError(dialFailure)
  )
  counters.openConnections++
  let handshake: ((result: Effect.Effect<void, CallFailure>) => void) | undefined
  const session = new ClientSession(options, {
    send: (frames, written) => {
      run(Effect.match(connection.write(frames), { onFailure: () => undefined, onSuccess: written }))
    },
    nowMillis: () => monotonicMillis(clock),
    onOpen: () => handshake?.(Effect.void),
    onEnd: (failure) => {
      counters.openConnections--
      connection.close(failure.message)
      run(Scope.close(scope, Exit.void))
      handshake?.(Effect.fail(failure))
    }
  }, counters)
  yield* Scope.addFinalizer(scope, Effect.sync(() => session.end("closed", "the client's scope has ended")))
  connection.receive((chunk) => session.receive(chunk))
  yield* Effect.forkIn(
    Effect.map(
      connection.closed,
      (reason) => session.streamEnded(`the connection ended (${reason.kind}): ${reason.message}`)
    ),
    scope
  )
  yield* Effect.callback<void, CallFailure>((resume) => {
    handshake = resume
    if (session.ended === undefined) session.start()
    else resume(Effect.fail(session.ended))
  }).pipe(Effect.timeoutOrElse({
    duration: options.handshakeTimeoutMillis,
    orElse: () =>
      Effect.fail(callFailure("timeout", `no answer to the handshake in ${options.handshakeTimeoutMillis} ms`))
  }))
  const opened: PeerConnection = { session, close: (reason) => session.end("closed", reason) }
  return opened
})

/** Dials and shakes hands. The connection ends with `parent`, or earlier; whatever fails leaves nothing open. */
export const connect = (
  options: ConnectOptions,
  counters: ClientCounters,
  parent: Scope.Scope
): Effect.Effect<PeerConnection, CallFailure, Transport> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Scope.fork(parent), (scope) =>
      Effect.onExit(
        restore(establish(options, counters, scope)),
        (exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit)
      ))
  )
