/**
 * Our side of S8: a chain bootstrap from all peers of the swarm, from the first dial to the last block, with an applier that costs nothing.
 * Usage: SyncSide.ts SWARM_FACTS_JSON
 */
import * as Effect from "effect/Effect"
import { startTiming, tell } from "../method/Side.ts"
import { applierOf, runSync } from "./RunSync.ts"
import type { SwarmFacts } from "./SwarmFacts.ts"

const facts: SwarmFacts = JSON.parse(process.argv[2]!)
const end = startTiming()
let applied = 0
await Effect.runPromise(runSync(
  facts,
  applierOf((blocks) =>
    Effect.sync(() => {
      applied += blocks.length
      return { applied: blocks.length, outcome: "ok", reason: "" }
    })
  )
))
if (applied !== facts.blocks) throw new Error(`${applied} of ${facts.blocks} blocks`)
tell(end({ bytes: facts.bytes, items: applied }))
process.exit(0)
