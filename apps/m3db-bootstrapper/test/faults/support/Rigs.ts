/** The rigs as layers, so that the tests of a file share one. */
import { layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { sharedMissing } from "../../../../../tools/shared.ts"
import { embeddedRig } from "./EmbeddedRig.ts"
import { independentRig } from "./IndependentRig.ts"
import type { Rig } from "./Rig.ts"

export const hasIndependent = sharedMissing === undefined

/** Independent replicas where they are at hand, else embedded ones. */
export class TheRig extends Context.Service<TheRig, Rig>()("test/faults/TheRig") {
  static readonly layer = Layer.effect(TheRig, hasIndependent ? independentRig : embeddedRig)
}

export class EmbeddedRig extends Context.Service<EmbeddedRig, Rig>()("test/faults/EmbeddedRig") {
  static readonly layer = Layer.effect(EmbeddedRig, embeddedRig)
}

/** Replicas need long to start where much else runs. */
const live = { excludeTestServices: true, timeout: "60 seconds" } as const

export const onTheRig = layer(TheRig.layer, live)
export const onEmbeddedRig = layer(EmbeddedRig.layer, live)

export const sayWhatIsMissing = (): void => {
  if (hasIndependent) return
  console.error(`NOT RUN against the independent replicas, only against embedded ones: ${sharedMissing}`)
}
