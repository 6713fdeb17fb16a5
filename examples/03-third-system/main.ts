/** A replica of Hoard that starts empty, with one peer stale and one down; it is stopped in the middle and runs again. */
import type { Level } from "@peerstrap/consistency-policy"
import { settableLevel } from "@peerstrap/consistency-policy/plugin"
import { throughputWeightedPlugin } from "@peerstrap/peer-selection/plugin"
import { compose, Host } from "@peerstrap/plugin-host"
import { formatWait } from "@peerstrap/progress"
import { KeyValue } from "@peerstrap/storage"
import { sqliteKeyValue } from "@peerstrap/storage/plugin"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mkdtempDisposableSync } from "node:fs"
import { tmpdir } from "node:os"
import { httpPeer } from "../10-own-kind/HoardPeers.ts"
import { startReplica } from "../10-own-kind/test/Replicas.ts"
import { catchUp } from "./CatchUp.ts"

using folder = mkdtempDisposableSync(`${tmpdir()}/peerstrap-03-`)
const entries = Array.from({ length: 1000 }, (_, at) => ({ key: `key-${1000 + at}`, version: 2, value: `value ${at}` }))
/** Lacks a hundred keys and has old values of others. */
const stale = entries.slice(100).map((entry, at) => at % 10 === 0 ? { ...entry, version: 1, value: "old" } : entry)

const program = Effect.scoped(Effect.gen(function*() {
  const [a, b] = [yield* startReplica(entries), yield* startReplica(stale, { damaged: "key-1999" })]
  const c = yield* startReplica([], { isDown: true })
  const peers = [httpPeer({ id: "A", url: a }), httpPeer({ id: "B", url: b }), httpPeer({ id: "C", url: c })] as const
  const others = [throughputWeightedPlugin({}), sqliteKeyValue({ path: `${folder.path}/replica.db` })] as const
  const replica = (level: Level) => compose(...peers, ...others, settableLevel({ level }))
  const operator = { plugin: "consistency.settable", setting: "level", value: "majority", origin: "operator" }
  yield* Effect.exit(Host.run(replica("all"), ({ settings }) =>
    catchUp({
      onWait: (wait) => Effect.andThen(Console.log(formatWait(wait)), Effect.orDie(settings.change(operator))),
      onCopied: (copied) => copied < 400 ? Effect.void : Effect.interrupt
    })))
  const again = yield* Host.run(
    replica("majority"),
    () => catchUp({ onWait: () => Effect.void, onCopied: () => Effect.void })
  )
  assert.ok(again.copied > 0 && again.copied <= 600 && again.lost === 0)
  console.log(`killed after 400 of 1000 entries; started again it copied the other ${again.copied}`)
  const keys = entries.map(({ key }) => new TextEncoder().encode(key))
  const stored = yield* Host.run(replica("none"), () => KeyValue.use((store) => store.get(keys)))
  assert.deepEqual(stored.map((bytes) => JSON.parse(new TextDecoder().decode(bytes))), entries)
}))
await Effect.runPromise(program)
