/** The plugin of WebSockets.ts in use, and the kit of the contract, which says whether it is fit for use. */
import { compose, Host } from "@peerstrap/plugin-host"
import { Transport } from "@peerstrap/transport"
import { transportSuite } from "@peerstrap/transport/testing"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { webSockets } from "./WebSockets.ts"

const conversation = Effect.scoped(Effect.gen(function*() {
  const transport = yield* Transport
  const { address } = yield* transport.listen({ host: "127.0.0.1", port: 0 }, (connection) =>
    Effect.gen(function*() {
      connection.receive(() => true)
      yield* Effect.ignore(connection.write([new TextEncoder().encode("hello")]))
      yield* connection.closed
    }))
  const connection = yield* transport.dial(address)
  const heard = yield* Deferred.make<string>()
  connection.receive((chunk) => Deferred.doneUnsafe(heard, Effect.succeed(new TextDecoder().decode(chunk))))
  return yield* Deferred.await(heard)
}))
const heard = await Effect.runPromise(Host.run(compose(webSockets({})), () => conversation))
assert.equal(heard, "hello")
console.log(`over transport.websocket: ${heard}`)

const checks: Array<() => Promise<void>> = []
transportSuite("WebSocket", Host.layer(compose(webSockets({}))), {
  capabilities: {},
  test: (_name, run) => checks.push(run)
})
assert.ok(checks.length > 10)
for (const run of checks) await run()
console.log(`${checks.length} checks of the contract hold`)
