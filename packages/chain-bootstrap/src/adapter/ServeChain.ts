/** Answers other nodes from a store without syncing: a good peer for a private network, or for tests of other nodes. */
import { type ByteLedger, Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { HeaderFacts } from "../contract/Block.ts"
import { ChainProtocol } from "../contract/ChainProtocol.ts"
import { ChainStore } from "../contract/ChainStore.ts"
import type { SyncEvent } from "../contract/ChainSync.ts"
import { PeerLinks } from "./PeerLinks.ts"
import { Serving } from "./Serving.ts"

/** Where to listen, for how many peers, and what is told of the chain. */
export interface ServeOptions {
  readonly host: string
  readonly port: number
  /** Connections at a time. Default 50. */
  readonly maxPeers?: number
  readonly baseHeader?: HeaderFacts
  readonly ledger: ByteLedger
  /** Connections and their ends, for whoever watches. */
  readonly onEvent?: (event: Extract<SyncEvent, { readonly kind: "connected" | "closed" | "attempt-failed" }>) => void
}

/** A server in the surrounding scope. */
export const serveChain = Effect.fn("serveChain")(function*(options: ServeOptions) {
  const store = yield* ChainStore
  const protocol = yield* ChainProtocol
  const transport = yield* Transport
  const clock = yield* Clock.Clock
  const maxPeers = options.maxPeers ?? 50
  /** Numbers of connections by identity. */
  const connected = new Map<string, number>()
  /** Their identities by number. */
  const kept = new Map<number, string>()
  const refusal = (id: string): "already-connected" | "too-many" | undefined => {
    if (connected.has(id) || id === protocol.ownId) return "already-connected"
    return connected.size < maxPeers ? undefined : "too-many"
  }
  const tell = (event: SyncEvent): void => {
    if (event.kind === "connected") {
      // Handshakes go on at the same time: what was true when this one was admitted may be over.
      const reason = refusal(event.id)
      if (reason !== undefined) return links.get(event.peer)?.close(reason)
      connected.set(event.id, event.peer)
      kept.set(event.peer, event.id)
    }
    if (event.kind === "closed") {
      const id = kept.get(event.peer)
      if (id === undefined) return
      kept.delete(event.peer)
      connected.delete(id)
    }
    if (event.kind === "connected" || event.kind === "closed" || event.kind === "attempt-failed") {
      options.onEvent?.(event)
    }
  }
  const { baseHeader, ledger } = options
  const serving = new Serving({ store, rules: protocol.rules, baseHeader, ledger, pointsToTell: () => [] }, clock)
  const connections = yield* Scope.fork(yield* Effect.scope)
  const links: PeerLinks = new PeerLinks({
    tell,
    admits: (id) => {
      const reason = refusal(id)
      return reason === undefined ? undefined : { reason, points: [] }
    },
    // We ask for nothing: whatever answers come are dropped.
    inflow: undefined,
    serve: (link) => serving.serve(link)
  }, connections)
  const listener = yield* Scope.provide(
    transport.listen(
      { host: options.host, port: options.port },
      (connection) => Effect.provideService(links.accept(connection), ChainProtocol, protocol)
    ),
    connections
  )
  yield* Effect.addFinalizer(() => links.closeAll("we stop"))
  return { listening: `${listener.address.host}:${listener.address.port}`, connections: () => connected.size }
})
