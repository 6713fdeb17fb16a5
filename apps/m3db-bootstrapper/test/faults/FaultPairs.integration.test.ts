/**
 * Two faults of one replica at the same time: a seeded sample, or all pairs (`PEERSTRAP_FAULT_PAIRS=all`, `npm run faults`). What is
 * asserted is what single faults have to keep: complete, right to the byte, nobody honest blamed, no proof of what C did not do.
 */
import { Random } from "@peerstrap/m3tsz/testing"
import * as Effect from "effect/Effect"
import { chosenFault, combined } from "./support/FaultCases.ts"
import { allPairs, samplePairs } from "./support/FaultPairs.ts"
import { onTheRig, sayWhatIsMissing, TheRig } from "./support/Rigs.ts"
import { runFault } from "./support/RunCase.ts"

const timeout = 60_000
const sampleSize = 24
const keptSeed = 20_261_121

const wanted = process.env["PEERSTRAP_FAULT_PAIRS"]
const seed = Number(process.env["PEERSTRAP_SEED"] ?? keptSeed)

const chosenPairs = (): ReadonlyArray<string> => {
  if (chosenFault !== undefined) return [chosenFault]
  if (wanted === "all") return allPairs
  const size = wanted === undefined ? sampleSize : Number(wanted)
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`PEERSTRAP_FAULT_PAIRS=${wanted}: want a number from 1, or all`)
  }
  console.error(
    `${size} of ${allPairs.length} pairs of faults by seed ${seed}, ` +
      `replay: PEERSTRAP_SEED=${seed} npm test -- apps/m3db-bootstrapper/test/faults/FaultPairs`
  )
  return samplePairs(new Random(seed), size)
}

const pairs = chosenPairs().map(combined)

sayWhatIsMissing()

onTheRig("one of three replicas", (it) => {
  for (const each of pairs) {
    it.effect(each.behaviour, () => Effect.flatMap(TheRig, (rig) => runFault(rig, each, "FaultPairs")), timeout)
  }
})
