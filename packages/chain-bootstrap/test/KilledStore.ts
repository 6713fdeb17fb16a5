/** Appends blocks to the store in the directory of its argument and prints each level once it is reported as stored, until it is killed. */
import { FileChainStore } from "@peerstrap/chain-bootstrap"
import { makeSyntheticChain, syntheticRules } from "@peerstrap/chain-bootstrap/testing"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { unitsOf } from "./StoreObservation.ts"

const [directory = "", levels = "0"] = process.argv.slice(2)
const chain = makeSyntheticChain({ seed: 31, levels: Number(levels), unitsPerBlock: 2, unitBytes: 400 })

const program = Effect.gen(function*() {
  const store = yield* FileChainStore.open({
    directory,
    rules: syntheticRules,
    identity: { protocol: "synthetic", chainId: "killed", base: chain.base },
    fileBytes: 20_000
  })
  console.log(`open ${store.head.level}`)
  for (let level = store.head.level + 1; level <= Number(levels); level++) {
    const block = chain.at(level)
    yield* Effect.all([store.appendHeaders([block.header]), store.appendUnits(unitsOf(block))], {
      concurrency: "unbounded"
    })
    yield* store.appendApplied({ kind: "apply", firstLevel: level, ids: [block.header.id] })
    console.log(`stored ${level}`)
  }
  return yield* Effect.never
})

// An event loop with a timer stays alive while the program waits for its end.
setInterval(() => undefined, 1000)
await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(NodeFileSystem.layer)))
