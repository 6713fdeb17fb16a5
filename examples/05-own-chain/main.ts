/** A node of the toy chain that catches up from four peers, of which one sends wrong bodies. */
import * as Chain from "@peerstrap/chain-bootstrap"
import { archiveApplier, fixedBase, memoryStore } from "@peerstrap/chain-bootstrap/plugin"
import { compose, Host } from "@peerstrap/plugin-host"
import { ByteLedger } from "@peerstrap/transport"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { webSockets } from "../08-own-transport/WebSockets.ts"
import { makeToyChain, startToyPeer } from "./test/ToyPeers.ts"
import { toyProtocol } from "./ToyProtocol.ts"

const chain = makeToyChain(200)
const pace = { finality: 2, blocksPerCycle: 100, blockTimeSeconds: 6 }
const sync = Chain.syncOptions(pace, { until: { level: 200 }, connections: Chain.connectionOptions({ minPeers: 3 }) })

const program = Effect.scoped(Effect.gen(function*() {
  const named = yield* Effect.forEach(["alice", "bob", "carol", "mallory"], (id) => startToyPeer(id, chain))
  const base = fixedBase({ id: chain[0]!.id })
  const parts = compose(webSockets({}), toyProtocol({ id: "dave" }), base, memoryStore({}), archiveApplier({}))
  const ledger = new ByteLedger(64 << 20)
  const catchUp = Effect.gen(function*() {
    const run = yield* Chain.startSync({ sync, named, ledger, baseHeader: chain[0]! })
    return { end: yield* run.done, evidence: run.snapshot().evidence }
  })
  return yield* Host.run(parts, () => Effect.scoped(catchUp))
}))

const { end, evidence } = await Effect.runPromise(program)
assert.deepEqual(end?.head, { id: chain[200]!.id, level: 200 })
assert.deepEqual([...new Set(evidence.map(({ kind, peer }) => `${peer} ${kind}`))], ["mallory bad-body-proof"])
console.log(`${end.outcome}: ${end.reason}\nblamed: ${evidence[0]!.peer}, for ${evidence[0]!.detail}`)
