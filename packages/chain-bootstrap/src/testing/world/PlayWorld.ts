/** One seed from the drawn world to the verdict. */
import { ChainWorld } from "./ChainWorld.ts"
import { drawWorld, type Family } from "./DrawWorld.ts"
import type { WorldRandom } from "./WorldRandom.ts"
import type { WorldSpec } from "./WorldSpec.ts"

export interface PlayedWorld {
  /** Of all actions with their times. */
  readonly hash: string
  readonly events: number
  readonly world: ChainWorld
  /** How often each kind of notice and event was seen. */
  readonly seen: ReadonlyMap<string, number>
}

/** Draws a world and plays it; throws a `Violation` when a promise does not hold. */
export const playWorld = (
  family: Family,
  seed: number,
  random: WorldRandom,
  change: (spec: WorldSpec) => WorldSpec = (spec) => spec
): PlayedWorld => {
  const world = new ChainWorld(change(drawWorld(family, seed, random)), random)
  return playTo(family, world)
}

export const playTo = (family: Family, world: ChainWorld): PlayedWorld => {
  world.play()
  judge(family, world)
  return { hash: `${world.watch.hash} ${world.finished?.outcome}`, events: world.steps, world, seen: world.watch.seen }
}

const judge = (family: Family, world: ChainWorld): void => {
  const { finished, store, watch } = world
  const top = world.canonical.topLevel
  const reached = store.head.level >= top && store.head.id === world.canonical.at(top).header.id
  const waits = world.engine.waits(world.now)
  const told = JSON.stringify(waits).slice(0, 600)
  switch (family) {
    case "honest":
    case "liars":
    case "anchored":
      if (finished?.outcome === "halted" && !reached) {
        watch.fail(`halted at ${store.head.level} of ${top}: ${finished.reason}`)
      }
      if (!reached && store.head.level < top - 2) {
        watch.fail(`level ${store.head.level} of ${top} at the end; waits: ${told}`)
      }
      if (finished === undefined) watch.fail(`neither synced nor stuck at level ${store.head.level} of ${top}: ${told}`)
      return
    case "tip":
      if (finished !== undefined) watch.fail(`ended: ${finished.outcome}: ${finished.reason}`)
      if (!reached) watch.fail(`head ${store.head.level} ${store.head.id} at the end of ${top}; waits: ${told}`)
      return
    case "minority": {
      // Peers come and go: for a while the honest ones may be a quorum.
      if (finished?.outcome === "synced" && store.head.level < top - 2) watch.fail("synced far from the honest head")
      if (finished === undefined && !reached && waits.length === 0) watch.fail("waits, and does not say for what")
      return
    }
    case "invalid": {
      const { invalidAt = 0 } = world.spec.applier
      if (finished?.outcome !== "halted") watch.fail(`goes on after a refused block: ${finished?.outcome}, ${told}`)
      if (store.head.level !== invalidAt - 1) watch.fail(`head ${store.head.level}, refused ${invalidAt}`)
    }
  }
}
