/** The conformance kit of `LevelSource`, and of its `LevelControl` where it has one. */
import { type Kit, suiteOf } from "@peerstrap/conformance"
import type { LevelSource } from "../contract/LevelSource.ts"
import { levelControlChecks } from "./LevelControlChecks.ts"
import type { LevelCapability, LevelPlace } from "./LevelPlace.ts"
import { levelSourceChecks } from "./LevelSourceChecks.ts"
import { levelSourceMutants } from "./LevelSourceMutants.ts"

/** The kit: 15 checks, 16 mutants. */
export const levelSourceKit: Kit<LevelSource | LevelPlace, LevelCapability> = {
  contract: "LevelSource",
  capabilities: {
    changes: "its level can be changed",
    control: "it has a `LevelControl`"
  },
  checks: [...levelSourceChecks, ...levelControlChecks],
  mutants: levelSourceMutants
}

/** `levelSourceSuite("Settable", controlledLevel(SettableLevel.layer("majority")), { capabilities: { changes: true, control: true }, test: it })`. */
export const levelSourceSuite = suiteOf(levelSourceKit)
