/** Answers other nodes from a store without syncing: a good peer for a private network, or for tests of other nodes. */
import { type ByteLedger, Transport } from "@peerstrap/transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { HeaderFacts } from "../contract/Block.ts"
import { ChainProtocol, type Side } from "../contract/ChainProtocol.ts"
import { ChainStore } from "../contract/ChainStore.ts"
import type { SyncEvent } from "../contract/ChainSync.ts"
import { PeerLinks } from "./PeerLinks.ts"
import { Serving } from "./Serving.ts"

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
  const connected = new Map<number, string>()
  const admits = (
    id: string
  ): undefined | { readonly reason: "too-many" | "already-connected"; readonly points: [] } => {
    if ([...connected.values()].includes(id) || id === protocol.ownId) {
      return { reason: "already-connected", points: [] }
    }
    return connected.size < (options.maxPeers ?? 50) ? undefined : { reason: "too-many", points: [] }
  }
  const tell = (event: SyncEvent): void => {
    if (event.kind === "connected") connected.set(event.peer, event.id)
    else if (event.kind === "closed") connected.delete(event.peer)
    if (event.kind === "connected" || event.kind === "closed" || event.kind === "attempt-failed") {
      options.onEvent?.(event)
    }
    // We asked for nothing: whatever else comes is not kept.
    if (event.kind === "answer" && event.answer.kind === "unit") {
      options.ledger.release("bodies", event.answer.body.length)
    }
  }
  const serving = new Serving(
    { store, rules: protocol.rules, baseHeader: options.baseHeader, pointsToTell: () => [] },
    clock
  )
  const links = new PeerLinks(
    {
      tell,
      ledger: options.ledger,
      admits: (id: string, _host: string, _side: Side) => admits(id),
      serve: (link) => serving.serve(link)
    },
    yield* Scope.fork(yield* Effect.scope)
  )
  const listener = yield* transport.listen(
    { host: options.host, port: options.port },
    (connection) => Effect.provideService(links.accept(connection), ChainProtocol, protocol)
  )
  return { listening: `${listener.address.host}:${listener.address.port}`, connections: () => connected.size }
})
