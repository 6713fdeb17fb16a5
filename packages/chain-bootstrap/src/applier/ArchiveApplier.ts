/** Applies by keeping: the store has verified and kept everything already. */
import * as Effect from "effect/Effect"
import type { BlockApplierService } from "../contract/BlockApplier.ts"

/** An applier that needs no bodies, judges nothing, and takes any branch. */
export const archive = (): BlockApplierService => ({
  name: "archive",
  needsBodies: false,
  branches: "many",
  head: Effect.void.pipe(Effect.as(undefined)),
  apply: (blocks) => Effect.succeed({ applied: blocks.length, outcome: "ok", reason: "" }),
  rollback: () => Effect.void,
  moveHead: () => Effect.void,
  forget: () => Effect.void
})
