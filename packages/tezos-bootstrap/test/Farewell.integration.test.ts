// Our Disconnect over a real socket: it is read before the connection ends, and one who reads nothing does not hold us up.
import { assert, describe, it } from "@effect/vitest"
import { type Connection, Tcp, Transport } from "@peerstrap/transport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { bytes, chainFacts } from "./chains.ts"
import { identityOf, protocolOf, welcome } from "./speakers.ts"

const network = {
  ...chainFacts,
  name: "test",
  chainName: "TEZOS_TEST",
  chainId: "NetXdQprcVkpaWU",
  chainIdBytes: bytes("7a06a770"),
  proofOfWork: 0,
  peers: [],
  blocksPerCycle: 100,
  blockTimeSeconds: 6
}

const pair = Effect.gen(function*() {
  const transport = yield* Transport
  const accepted = yield* Deferred.make<Connection>()
  const { address } = yield* transport.listen(
    { host: "127.0.0.1", port: 0 },
    (connection) => Effect.andThen(Deferred.succeed(accepted, connection), Effect.asVoid(connection.closed))
  )
  const near = yield* transport.dial(address)
  const far = yield* Deferred.await(accepted)
  const [ours, theirs] = [
    yield* protocolOf({ network, identity: identityOf(1) }),
    yield* protocolOf({ network, identity: identityOf(2) })
  ]
  return yield* Effect.all([
    ours.open(near, { side: "outgoing", dialled: "127.0.0.1:1", ...welcome }),
    theirs.open(far, { side: "incoming", dialled: undefined, ...welcome })
  ], { concurrency: 2 })
})

describe("a farewell over TCP", () => {
  it.live("is told apart from a connection that just ends", () =>
    Effect.gen(function*() {
      const [near, far] = yield* pair
      far.receive(() => true)
      near.receive(() => true)
      near.close("enough")
      near.close("again")
      assert.deepStrictEqual(yield* far.closed, { kind: "farewell", message: "the peer said Disconnect" })
      assert.deepStrictEqual(yield* near.closed, { kind: "local", message: "enough" })
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))

  it.live("does not wait for one that reads nothing", () =>
    Effect.gen(function*() {
      const [near] = yield* pair
      near.receive(() => true)
      near.close("enough")
      assert.deepStrictEqual(yield* near.closed, { kind: "local", message: "enough" })
    }).pipe(Effect.scoped, Effect.provide(Tcp.layer)))
})
