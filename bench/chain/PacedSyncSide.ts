/**
 * Our side of S9: a chain bootstrap into an applier with a fixed cost a block; the clock runs from the first block that the applier gets to the end
 * of the last one.
 * Usage: PacedSyncSide.ts SWARM_FACTS_JSON MILLIS_PER_BLOCK
 */
import * as Effect from "effect/Effect"
import { tell } from "../method/Side.ts"
import { startPacedApplier } from "./PacedApplier.ts"
import { applierOf, runSync } from "./RunSync.ts"
import type { SwarmFacts } from "./SwarmFacts.ts"

const facts: SwarmFacts = JSON.parse(process.argv[2]!)
const paced = await startPacedApplier(Number(process.argv[3]), facts.blocks, facts.bytes)
await Effect.runPromise(runSync(facts, applierOf(paced.apply)))
const measured = paced.measured()
if (measured === undefined) throw new Error("the run ended before its last block was applied")
tell(measured)
process.exit(0)
