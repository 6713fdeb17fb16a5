/** Three replicas, each a part; the third one is down. The host counts calls, keeps statuses, and says why. */
import { compose, Host, named } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { HoardPeers, httpPeer } from "./HoardPeers.ts"
import { startReplica } from "./test/Replicas.ts"

const entries = Array.from({ length: 250 }, (_, at) => ({ key: `key-${at + 100}`, version: 1, value: `value ${at}` }))

const replica = (id: string, url: string) => named(id, httpPeer({ id, url }))

const program = Effect.scoped(Effect.gen(function*() {
  const [a, b] = [yield* startReplica(entries), yield* startReplica(entries)]
  const c = yield* startReplica([], { isDown: true })
  const parts = compose(replica("A", a), replica("B", b), replica("C", c))
  return yield* Host.run(parts, (host) =>
    Effect.gen(function*() {
      const peers = yield* HoardPeers
      const pages = yield* Effect.forEach(peers, (peer) => Effect.result(peer.list("")))
      const [entry] = yield* peers[1]!.fetch(["key-107"])
      return { pages, entry, edges: host.edges(), why: host.why() }
    }))
}))

const { edges, entry, pages, why } = await Effect.runPromise(program)
assert.deepEqual(pages.map((page) => page._tag), ["Success", "Success", "Failure"])
assert.equal(entry?.value, "value 7")
for (const { failure, success, to } of edges) console.log(`${to}: ${success} calls, ${failure} failed`)
for (const { chain, status } of why) console.log(`${chain.join(" → ")} is ${status.status}: ${status.message}`)
