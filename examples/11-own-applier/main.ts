/** The index in a bootstrap: composed in code, then from index.yaml while the peers reorganise, then new over the chain that is there. */
import { type Block, ChainStore } from "@peerstrap/chain-bootstrap"
import { archiveApplier, cachedTailStrategy, fileStore } from "@peerstrap/chain-bootstrap/plugin"
import { compose, fromConfig, Host } from "@peerstrap/plugin-host"
import { KeyValue } from "@peerstrap/storage"
import { keyValueKind, keyValuePlugins, nodeFiles, sqliteKeyValue } from "@peerstrap/storage/plugin"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mkdtempDisposableSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { idsOf } from "./Index.ts"
import { indexApplier } from "./IndexApplier.ts"
import { first, follow, second, toyNeeds, toyNetwork } from "./test/Toy.ts"

using work = mkdtempDisposableSync(`${tmpdir()}/peerstrap-11-`)
process.chdir(work.path) // the index of index.yaml goes there

/** Follows the peers to a level, and compares the index with their chain. Services only: it does not know who composed them. */
const bootstrap = Effect.fnUntraced(function*(blocks: ReadonlyArray<Block>, level: number) {
  const outcome = yield* follow(blocks, level)
  const ids = yield* idsOf(yield* KeyValue)
  console.log(`  ${outcome}: store ${(yield* ChainStore).head.level}, index ${ids.length}`)
  assert.deepEqual(ids, blocks.slice(0, level).map(({ header }) => header.id))
})

/** All but an applier. `as const`: `compose` has to know which parts these are. */
const others = [...toyNetwork, cachedTailStrategy({}), fileStore({ directory: "chain" }), nodeFiles({})] as const

console.log("in code:")
const typed = compose(...others, indexApplier({}), sqliteKeyValue({ path: "index.sqlite" }))
await Effect.runPromise(Host.run(typed, () => bootstrap(first, 60)))

console.log("from index.yaml, and the peers have replaced their last three blocks:")
const path = `${import.meta.dirname}/index.yaml`
const [needs, defaults] = [[...toyNeeds, keyValueKind] as const, compose(...others, archiveApplier({}))]
const configured = fromConfig(keyValuePlugins, readFileSync(path, "utf8"), { path, needs, defaults })
await Effect.runPromise(Effect.flatMap(configured, (parts) => Host.run(parts, () => bootstrap(second, 80))))

console.log("a new index over the chain that is there:")
const fresh = compose(...others, indexApplier({}), sqliteKeyValue({ path: "second.sqlite" }))
await Effect.runPromise(Host.run(fresh, () => bootstrap(second, 80)))
