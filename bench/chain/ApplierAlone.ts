/**
 * The rival of S9: the same applier, which gets the next blocks at once when it is done with the last ones, as many at a time as an applier
 * that reads bodies gets from a run.
 * Usage: ApplierAlone.ts SWARM_FACTS_JSON MILLIS_PER_BLOCK
 */
import { ChainLimits } from "@peerstrap/chain-bootstrap"
import * as Effect from "effect/Effect"
import { tell } from "../method/Side.ts"
import { startPacedApplier } from "./PacedApplier.ts"
import type { SwarmFacts } from "./SwarmFacts.ts"

const facts: SwarmFacts = JSON.parse(process.argv[2]!)
const paced = await startPacedApplier(Number(process.argv[3]), facts.blocks, facts.bytes)
const program = Effect.gen(function*() {
  for (let left = facts.blocks; left > 0; left -= ChainLimits.blocksReadAhead) {
    yield* paced.apply(Array.from({ length: Math.min(left, ChainLimits.blocksReadAhead) }))
  }
})
await Effect.runPromise(program)
tell(paced.measured()!)
process.exit(0)
