/**
 * M3DB's node service over a `Transport`: handshake, ping, `health`, `bootstrapped` and the two peer streaming calls, served from a
 * `ReplicaSource`. Other methods get error frame 06, as from a real node that does not know them.
 * (specs: peer streaming 1, 5; M3: tchannelthrift/node/service.go)
 */
import { type Address, type Connection, formatAddress, ListenError, Transport } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Limits } from "../contract/Limits.ts"
import { ReplicaSource, type ReplicaSourceShape } from "../contract/ReplicaSource.ts"
import { ServerLimits } from "../contract/ServerLimits.ts"
import type { Intercept, ServerEvent } from "./ServerCall.ts"
import { serveConnection } from "./ServerConnection.ts"
import type { ServerConfig } from "./ServerDispatch.ts"

/** How a node server names itself, its bounds, and what may look at or alter each call. */
export interface NodeServerOptions {
  /** The `process_name` of the handshake. Default `peerstrap`. */
  readonly processName?: string
  /** Longest request in bytes. Default `Limits.maxRequestBytes`. */
  readonly maxRequestBytes?: number
  /** Default `Limits.handshakeTimeoutMillis`. */
  readonly handshakeTimeoutMillis?: number
  /** Default `ServerLimits.maxConnections`. */
  readonly maxConnections?: number
  /** Default `ServerLimits.maxCallsPerConnection`. */
  readonly maxCallsPerConnection?: number
  /** Default `ServerLimits.maxOpenRequestBytes`. */
  readonly maxOpenRequestBytes?: number
  /** Default `ServerLimits.maxPendingReplies`. */
  readonly maxPendingReplies?: number
  /** Default `ServerLimits.maxHeldAnswerBytes`. */
  readonly maxHeldAnswerBytes?: number
  /** Default `ServerLimits.framesPerWrite`. */
  readonly framesPerWrite?: number
  /** Default: every call proceeds. */
  readonly intercept?: Intercept
  /** Called synchronously for everything that happens; must not throw. */
  readonly observe?: (event: ServerEvent) => void
}

/** A node server that listens, until its scope closes. */
export interface NodeServer {
  /** Where it listens. */
  readonly address: Address
  /** Connections open now. */
  readonly connections: () => number
}

/** Serves connections that are already there, one call of `serve` each; `NodeServer.listen` is made of it. */
export interface NodeService {
  readonly serve: (connection: Connection) => Effect.Effect<void>
  readonly connections: () => number
}

/** The service without a listener. `hostPort` is what the handshake tells. */
export const makeService = (
  source: ReplicaSourceShape,
  hostPort: () => string,
  options: NodeServerOptions = {}
): NodeService => {
  let sequence = 0
  let connectionNumber = 0
  let open = 0
  const config: ServerConfig = {
    source,
    hostPort,
    processName: options.processName ?? "peerstrap",
    limits: {
      maxRequestBytes: options.maxRequestBytes ?? Limits.maxRequestBytes,
      handshakeTimeoutMillis: options.handshakeTimeoutMillis ?? Limits.handshakeTimeoutMillis,
      maxConnections: options.maxConnections ?? ServerLimits.maxConnections,
      maxCallsPerConnection: options.maxCallsPerConnection ?? ServerLimits.maxCallsPerConnection,
      maxOpenRequestBytes: options.maxOpenRequestBytes ?? ServerLimits.maxOpenRequestBytes,
      maxPendingReplies: options.maxPendingReplies ?? ServerLimits.maxPendingReplies,
      maxHeldAnswerBytes: options.maxHeldAnswerBytes ?? ServerLimits.maxHeldAnswerBytes,
      framesPerWrite: options.framesPerWrite ?? ServerLimits.framesPerWrite
    },
    intercept: options.intercept ?? ((_, proceed) => proceed),
    observe: options.observe ?? (() => {}),
    nextSequence: () => ++sequence,
    held: { bytes: 0 }
  }
  const serve = (connection: Connection) =>
    Effect.suspend(() => {
      const { maxConnections } = config.limits
      if (open >= maxConnections) {
        const message = `${maxConnections} connections are open; the option is maxConnections`
        config.observe({ kind: "refused", remote: connection.remote, message })
        connection.close(message)
        return Effect.void
      }
      open++
      const ended = Effect.sync(() => void open--)
      return Effect.ensuring(serveConnection(config, connection, ++connectionNumber), ended)
    })
  return { serve, connections: () => open }
}

/**
 * Listens on `address` and serves the `ReplicaSource` until the scope ends, which also ends all connections. Port 0 lets the
 * transport choose; `NodeServer.address` tells.
 */
export const listen = (
  address: Address,
  options: NodeServerOptions = {}
): Effect.Effect<NodeServer, ListenError, Transport | ReplicaSource | Scope.Scope> =>
  Effect.gen(function*() {
    const transport = yield* Transport
    const source = yield* ReplicaSource
    let bound = address
    const service = makeService(source, () => formatAddress(bound), options)
    const listener = yield* transport.listen(address, service.serve)
    bound = listener.address
    return { address: bound, connections: service.connections }
  })
