// Serving a store and syncing from it, over TCP on this machine.
import { assert, describe, it } from "@effect/vitest"
import { ByteLedger, Tcp, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { findHeader } from "../src/adapter/FindHeader.ts"
import { addressOf } from "../src/adapter/PeerLinks.ts"
import { serveChain, type ServeOptions } from "../src/adapter/ServeChain.ts"
import { ChainProtocol } from "../src/contract/ChainProtocol.ts"
import { ChainStore, type ChainStoreService } from "../src/contract/ChainStore.ts"
import {
  encodeFrame,
  type SyntheticChain,
  type SyntheticHello,
  syntheticProtocol,
  type SyntheticVerdict
} from "../src/testing/index.ts"
import { chainOf, filledStore, memoryStore, startRun } from "./AdapterWorld.ts"

const loopback = { host: "127.0.0.1", port: 0 }

const serverOf = (id: string, chain: SyntheticChain, store: ChainStoreService, given: Partial<ServeOptions> = {}) =>
  Effect.gen(function*() {
    const ledger = new ByteLedger(2 ** 20)
    const server = yield* serveChain({ ...loopback, baseHeader: chain.genesis.header, ledger, ...given })
    return { ...server, ledger }
  }).pipe(
    Effect.provideService(ChainStore, store),
    Effect.provideService(ChainProtocol, syntheticProtocol({ id }))
  )

const visit = Effect.fnUntraced(function*(id: string, point: string) {
  const transport = yield* Transport
  const connection = yield* transport.dial(addressOf(point))
  return yield* syntheticProtocol({ id }).open(connection, {
    side: "outgoing",
    dialled: point,
    accept: () => undefined
  })
})

describe("over TCP", () => {
  it.live("four servers of a store bring a run to its head, and answer who asks for one header", () =>
    Effect.gen(function*() {
      const chain = chainOf(60, 5, 2_000)
      const store = yield* filledStore(chain, { stored: 60, applied: 60 })
      const scope = yield* Scope.make()
      const servers = yield* Effect.forEach(
        ["a", "b", "c", "d"],
        (id) => Scope.provide(serverOf(id, chain, store), scope)
      )
      const points = servers.map(({ listening }) => listening)
      const found = yield* findHeader({ id: chain.at(7).header.id, points }).pipe(
        Effect.provideService(ChainProtocol, syntheticProtocol({ id: "asker" }))
      )
      assert.deepStrictEqual(found.bytes, chain.at(7).header.bytes)
      const { ledger, run, store: own } = yield* startRun({ chain, named: points })
      assert.strictEqual((yield* run.done)?.outcome, "level-reached")
      for (const { header, units } of chain.main.slice(1)) {
        assert.deepStrictEqual(yield* own.readUnits(header.id), units)
      }
      assert.strictEqual(ledger.used, 0)
      yield* run.stop
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(servers.every(({ ledger }) => ledger.used === 0) && servers.some(({ ledger }) => ledger.peak > 0))
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))

  it.live("a server has places for so many, one for each identity, none for itself, and says farewell when it closes", () =>
    Effect.gen(function*() {
      const chain = chainOf(10)
      const store = yield* memoryStore(chain)
      const left = yield* Deferred.make<void>()
      const kinds: Array<string> = []
      const scope = yield* Scope.make()
      const server = yield* Scope.provide(
        serverOf("server", chain, store, {
          maxPeers: 2,
          onEvent: (event) => {
            kinds.push(event.kind)
            if (event.kind === "closed") Deferred.doneUnsafe(left, Effect.void)
          }
        }),
        scope
      )
      const { ledger, listening } = server
      const one = yield* visit("one", listening)
      yield* visit("two", listening)
      assert.strictEqual((yield* Effect.flip(visit("three", listening))).message, "too-many")
      assert.strictEqual((yield* Effect.flip(visit("one", listening))).message, "already-connected")
      assert.strictEqual((yield* Effect.flip(visit("server", listening))).message, "that is ourselves")
      assert.strictEqual(server.connections(), 2)
      const { header, units } = chain.at(1)
      // It asked for nothing: bodies that come are dropped, and draw nothing.
      yield* one.send([{ kind: "unit", block: header.id, unit: 0, units }, { kind: "get-head" }])
      const head = yield* Effect.callback<string>((resume) =>
        one.receive((message) => {
          if (message.kind === "head") resume(Effect.succeed(message.header.id))
          return true
        })
      )
      assert.strictEqual(head, chain.genesis.header.id)
      assert.strictEqual(ledger.peak, 0)
      one.close("enough")
      yield* Deferred.await(left)
      const three = yield* visit("three", listening)
      three.receive(() => true)
      assert.deepStrictEqual(kinds.filter((kind) => kind === "connected").length, 3)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* three.closed).kind, "farewell")
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))

  it.live("handshakes that go on at the same time leave no more than the places, each identity once", () =>
    Effect.gen(function*() {
      const chain = chainOf(10)
      const server = yield* serverOf("server", chain, yield* memoryStore(chain), { maxPeers: 2 })
      const transport = yield* Transport
      const visits = yield* Effect.forEach(["a", "a", "b", "c"], (hello) =>
        Effect.gen(function*() {
          const connection = yield* transport.dial(addressOf(server.listening))
          const admitted = yield* Deferred.make<void>()
          let heard = ""
          connection.receive((chunk) => {
            heard += new TextDecoder().decode(chunk)
            if (heard.includes("welcome")) Deferred.doneUnsafe(admitted, Effect.void)
            return true
          })
          yield* connection.write([
            encodeFrame({ hello, chain: "synthetic", ancestors: true } satisfies SyntheticHello)
          ])
          yield* Deferred.await(admitted)
          return connection
        }))
      assert.strictEqual(server.connections(), 0)
      for (const connection of visits) {
        yield* connection.write([encodeFrame({ verdict: "welcome" } satisfies SyntheticVerdict)])
      }
      let ended = 0
      const two = yield* Deferred.make<void>()
      for (const connection of visits) {
        yield* Effect.forkChild(Effect.map(connection.closed, () => {
          if (++ended === 2) Deferred.doneUnsafe(two, Effect.void)
        }))
      }
      yield* Deferred.await(two)
      assert.strictEqual(server.connections(), 2)
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))
})
