/**
 * A replica to test clients against: serves real-looking data over any transport, misbehaves as told, can change while it runs, and
 * records what it was asked.
 */
import { type Address, type Connection, formatAddress, type ListenError, Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Scope from "effect/Scope"
import { makeService, type NodeServerOptions } from "../adapter/NodeServer.ts"
import type { ServerEvent } from "../adapter/ServerCall.ts"
import type { ReplicaSourceShape } from "../contract/ReplicaSource.ts"
import { behavedCalls } from "./BehavedCalls.ts"
import { behavedConnection } from "./BehavedConnection.ts"
import type { MadeUp } from "./BehavedPages.ts"
import { behavedSource } from "./BehavedSource.ts"
import { Behaviours } from "./Behaviours.ts"
import { ReplicaControl } from "./ReplicaControl.ts"
import { ReplicaRecord, type ReplicaStats } from "./ReplicaRecord.ts"

/** What a scripted replica serves. `SeededReplica` is one. */
export interface ReplicaHoldings {
  readonly source: (isBootstrapped: () => boolean) => ReplicaSourceShape
  readonly madeUp: MadeUp
}

/** Data, address and first behaviours of a scripted replica. */
export interface ScriptedReplicaOptions {
  readonly data: ReplicaHoldings
  /** Default 127.0.0.1, a port of the transport's choice. */
  readonly address?: Address
  /** Parsed, or a text as `slow:200000+delay:20`; a text that does not parse is a defect. Default: none. */
  readonly behaviours?: Behaviours | string
  /** Keep the ids of block requests in the record. Default false. */
  readonly recordIds?: boolean
  readonly server?: Omit<NodeServerOptions, "intercept" | "observe">
  /** Everything that happens, as it happens. */
  readonly observe?: (event: ServerEvent) => void
  /** Called when `die-after` ends the replica, in place of stopping it: a process of its own may exit here. */
  readonly onDeath?: () => void
}

/** A scripted replica that runs: where it listens, what it was asked, and how to change it. */
export interface ScriptedReplica {
  readonly address: Address
  readonly hostPort: string
  readonly stats: () => ReplicaStats
  /** Forgets the requests recorded so far. */
  readonly clearRecord: () => void
  /** Takes effect at the next call, page or write; the empty text is a healthy replica. */
  readonly setBehaviours: (behaviours: Behaviours | string) => void
  readonly behaviours: () => Behaviours
  /** Closes all connections; new ones are accepted. */
  readonly dropConnections: () => void
  /** Stops listening and closes all connections; also done when the scope ends. */
  readonly stop: Effect.Effect<void>
}

/** Starts a replica that lives until the scope ends or `stop`. */
export const startReplica = Effect.fnUntraced(
  function*(options: ScriptedReplicaOptions): Effect.fn.Return<ScriptedReplica, ListenError, Transport | Scope.Scope> {
    const transport = yield* Transport
    const clock = yield* Clock.Clock
    const outer = yield* Effect.scope
    const runFork = yield* FiberSet.makeRuntime()
    const inner = yield* Scope.fork(outer)
    const control = new ReplicaControl(options.behaviours ?? Behaviours.none, () => clock.currentTimeMillisUnsafe())
    const record = new ReplicaRecord(options.recordIds ?? false)
    const stop = Scope.close(inner, Exit.void)
    const die = () => options.onDeath === undefined ? void runFork(stop) : options.onDeath()
    const observe = (event: ServerEvent) => {
      record.observe(event)
      options.observe?.(event)
      if (event.kind === "answered" && event.call.sequence === control.dying) die()
    }
    const address = options.address ?? { host: "127.0.0.1", port: 0 }
    let bound = address
    const source = behavedSource({
      source: options.data.source(() => control.bootstrapped()),
      behaviours: () => control.behaviours,
      madeUp: options.data.madeUp
    })
    const service = makeService(source, () => formatAddress(bound), {
      ...options.server,
      intercept: behavedCalls(control),
      observe
    })
    const connections = new Set<Connection>()
    const serve = (connection: Connection) =>
      Effect.suspend(() => {
        connections.add(connection)
        const behaved = behavedConnection(connection, control, (bytes) => record.sent(bytes))
        return Effect.ensuring(service.serve(behaved), Effect.sync(() => void connections.delete(connection)))
      })
    const listener = yield* Scope.provide(transport.listen(address, serve), inner)
    bound = listener.address
    return {
      address: bound,
      hostPort: formatAddress(bound),
      stats: () => record.stats(),
      clearRecord: () => record.clear(),
      setBehaviours: (behaviours) => control.set(behaviours),
      behaviours: () => control.behaviours,
      dropConnections: () => {
        for (const connection of connections) connection.close("dropped by the script")
      },
      stop
    }
  }
)
