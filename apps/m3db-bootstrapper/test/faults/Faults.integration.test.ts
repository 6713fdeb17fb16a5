/**
 * One of three replicas misbehaves: the run is complete and right to the byte, nobody honest is blamed, and proof stands against C where
 * there is any. One alone: `PEERSTRAP_FAULT=cut:300 npm test -- apps/m3db-bootstrapper/test/faults/Faults`.
 */
import * as Effect from "effect/Effect"
import { chosenFault, combined, embeddedCases, faultCases } from "./support/FaultCases.ts"
import { EmbeddedRig, onEmbeddedRig, onTheRig, sayWhatIsMissing, TheRig } from "./support/Rigs.ts"
import { runFault } from "./support/RunCase.ts"

const timeout = 60_000
const chosen = chosenFault === undefined ? undefined : [combined(chosenFault)]

sayWhatIsMissing()

onTheRig("one of three replicas", (it) => {
  for (const each of chosen ?? faultCases) {
    it.effect(each.behaviour, () => Effect.flatMap(TheRig, (rig) => runFault(rig, each, "Faults")), timeout)
  }
})

if (chosen === undefined) {
  onEmbeddedRig("one of three embedded replicas", (it) => {
    for (const each of embeddedCases) {
      it.effect(each.behaviour, () => Effect.flatMap(EmbeddedRig, (rig) => runFault(rig, each, "Faults")), timeout)
    }
  })
}
