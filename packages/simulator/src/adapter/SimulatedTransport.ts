/** The `Transport` service of one node of a simulated network. */
import {
  acceptor,
  type Address,
  type CloseReason,
  type Connection,
  ConnectionClosed,
  connectionScope,
  DialError,
  type DialOptions,
  formatAddress,
  Limits as TransportLimits,
  ListenError,
  Transport
} from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Endpoint } from "../engine/Endpoint.ts"
import type { Network } from "../engine/Network.ts"

class SimulatedConnection implements Connection {
  readonly remote: string
  readonly closed: Effect.Effect<CloseReason>
  private readonly endpoint: Endpoint

  constructor(endpoint: Endpoint) {
    const ended = Deferred.makeUnsafe<CloseReason>()
    this.endpoint = endpoint
    this.remote = endpoint.remote
    this.closed = Deferred.await(ended)
    endpoint.onClosed((reason) => void Deferred.doneUnsafe(ended, Effect.succeed(reason)))
  }

  receive(consumer: (chunk: Uint8Array) => boolean): void {
    this.endpoint.receive(consumer)
  }

  resume(): void {
    this.endpoint.resume()
  }

  write(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, ConnectionClosed> {
    return Effect.callback<void, ConnectionClosed>((resume) =>
      this.endpoint.write(chunks, (ended) =>
        resume(
          ended === undefined
            ? Effect.void
            : Effect.fail(new ConnectionClosed({ remote: this.remote, reason: `${ended.kind}: ${ended.message}` }))
        ))
    )
  }

  close(reason: string): void {
    this.endpoint.close(reason)
  }
}

const connected = (network: Network, node: string, address: Address): Effect.Effect<Endpoint, DialError> =>
  Effect.callback<Endpoint, DialError>((resume) => {
    const giveUp = network.dial(node, address, {
      connected: (endpoint) => resume(Effect.succeed(endpoint)),
      failed: (reason, message) =>
        resume(Effect.fail(new DialError({ address: formatAddress(address), reason, fault: "unknown", message })))
    })
    return Effect.sync(giveUp)
  })

/** What `node` sees of the network: its dials come from there, its listeners open there whatever host they name. */
export const make = (network: Network, node: string): Transport["Service"] => {
  network.addNode(node)

  const dial = (address: Address, options?: DialOptions) =>
    Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
      const timeoutMillis = options?.timeoutMillis ?? TransportLimits.dialTimeoutMillis
      const endpoint = yield* restore(connected(network, node, address)).pipe(Effect.timeoutOrElse({
        duration: timeoutMillis,
        orElse: () =>
          Effect.fail(
            new DialError({
              address: formatAddress(address),
              reason: "timeout",
              fault: "unknown",
              message: `no answer from ${formatAddress(address)} within ${timeoutMillis} ms of virtual time`
            })
          )
      }))
      const connection = new SimulatedConnection(endpoint)
      const { release } = yield* connectionScope((reason) => connection.close(reason))
      endpoint.onClosed(release)
      return connection as Connection
    }))

  const listen = Effect.fnUntraced(function*(
    address: Address,
    onConnection: (connection: Connection) => Effect.Effect<void>
  ) {
    const accept = yield* acceptor(onConnection)
    const bound = network.listen(node, address.port, (endpoint) => accept(new SimulatedConnection(endpoint)))
    if (bound === undefined) {
      return yield* new ListenError({
        address: formatAddress(address),
        message: `port ${address.port} of node ${node} is taken`
      })
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => network.unlisten(bound)))
    return { address: bound }
  })

  return Transport.of({ dial, listen })
}

/** `Transport` of one node of a simulated network. */
export const layer = (network: Network, node: string): Layer.Layer<Transport> =>
  Layer.succeed(Transport)(make(network, node))
