/** Appliers with one fault each, which `blockApplierSuite` must reject. They wrap a correct one that judges and keeps its chain. */
import * as Effect from "effect/Effect"
import type { BlockApplierService } from "../contract/BlockApplier.ts"
import type { BlockApplierSubject } from "./BlockApplierSuite.ts"

export interface BlockApplierMutant {
  readonly name: string
  readonly mutate: (subject: BlockApplierSubject) => BlockApplierSubject
}

const withApplier =
  (change: (applier: BlockApplierService) => Partial<BlockApplierService>) =>
  (subject: BlockApplierSubject): BlockApplierSubject => ({
    ...subject,
    make: (base, verdicts) =>
      Effect.map(subject.make(base, verdicts), (one) => ({
        ...one,
        applier: Object.defineProperties(
          Object.create(one.applier) as BlockApplierService,
          Object.getOwnPropertyDescriptors(change(one.applier))
        )
      }))
  })

export const blockApplierMutants: ReadonlyArray<BlockApplierMutant> = [
  {
    name: "skips the last block of a batch and counts it",
    mutate: withApplier((applier) => ({
      apply: (blocks) =>
        Effect.map(
          applier.apply(blocks.slice(0, -1)),
          (result) => result.outcome === "ok" ? { ...result, applied: blocks.length } : result
        )
    }))
  },
  {
    name: "counts the block that it refuses",
    mutate: withApplier((applier) => ({
      apply: (blocks) =>
        Effect.map(
          applier.apply(blocks),
          (result) => result.outcome === "ok" ? result : { ...result, applied: result.applied + 1 }
        )
    }))
  },
  {
    name: "takes invalid blocks for transient ones",
    mutate: withApplier((applier) => ({
      apply: (blocks) =>
        Effect.map(
          applier.apply(blocks),
          (result) => result.outcome === "invalid" ? { ...result, outcome: "transient" as const } : result
        )
    }))
  },
  {
    name: "gives no reason",
    mutate: withApplier((applier) => ({
      apply: (blocks) => Effect.map(applier.apply(blocks), (result) => ({ ...result, reason: "" }))
    }))
  },
  { name: "forgets to roll back", mutate: withApplier(() => ({ rollback: () => Effect.void })) },
  { name: "never moves its head", mutate: withApplier(() => ({ moveHead: () => Effect.void })) },
  {
    name: "moves its head to whatever it applies",
    mutate: withApplier((applier) => ({
      apply: (blocks) =>
        Effect.tap(applier.apply(blocks), ({ applied }) => {
          const last = blocks[applied - 1]?.header
          return last === undefined ? Effect.void : applier.moveHead({ id: last.id, level: last.level })
        })
    }))
  },
  {
    name: "loses the units",
    mutate: withApplier((applier) => ({
      apply: (blocks) => applier.apply(blocks.map(({ header, units }) => ({ header, units: units.slice(1) })))
    }))
  }
]
