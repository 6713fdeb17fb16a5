/** An applier in virtual time: one task after the other, slow, failing now and then, on one branch or on many. */
import type { BlockId, HeaderFacts } from "../../contract/Block.ts"
import type { SyncAction } from "../../contract/ChainSync.ts"
import type { ChainWorld } from "./ChainWorld.ts"
import type { WorldRandom } from "./WorldRandom.ts"

type Task = Extract<SyncAction, { kind: "apply" | "rollback" | "switch" | "forget-branch" }>
type Outcome = { readonly applied: number; readonly outcome: "ok" | "invalid" | "transient"; readonly reason: string }

export class WorldApplier {
  private readonly world: ChainWorld
  private readonly random: WorldRandom
  private freeMillis = 0
  /** Applied blocks that are not on the head's chain. */
  readonly aside = new Set<BlockId>()
  transients = 0

  constructor(world: ChainWorld, random: WorldRandom) {
    this.world = world
    this.random = random
  }

  /** What was applied on side branches is gone with the process. */
  crash(): void {
    this.freeMillis = 0
    this.aside.clear()
  }

  take(task: Task): void {
    const { world } = this
    const blocks = task.kind === "apply" ? task.blocks.length : 1
    this.freeMillis = Math.max(this.freeMillis, world.now) + 1 + blocks * world.spec.applier.blockMillis
    world.after(this.freeMillis - world.now, () => this.work(task))
  }

  private work(task: Task): void {
    const { store } = this.world
    switch (task.kind) {
      case "apply": {
        const result = task.branch === "head" ? this.onHead(task.blocks) : this.onSide(task.blocks)
        this.world.step({ kind: "applied", branch: task.branch, blocks: task.blocks.map(({ id }) => id), ...result })
        return
      }
      case "rollback":
        store.rollback(task.to)
        this.world.watch.moved()
        this.world.step({ kind: "moved", to: task.to })
        return
      case "switch": {
        for (let level = task.fork.level + 1; level <= store.head.level; level++) {
          this.aside.add(store.appliedAt(level)!)
        }
        const missing = task.ids.find((id) => !this.aside.has(id))
        if (missing !== undefined) this.world.watch.fail(`switch to a branch whose block ${missing} is not applied`)
        store.rollback(task.fork)
        store.apply(task.ids)
        for (const id of task.ids) this.aside.delete(id)
        this.world.watch.moved()
        this.world.step({ kind: "moved", to: task.to })
        return
      }
      case "forget-branch":
        this.aside.delete(task.id)
    }
  }

  private onHead(blocks: ReadonlyArray<HeaderFacts>): Outcome {
    const { store } = this.world
    if (blocks[0]?.parent !== store.head.id) {
      return { applied: 0, outcome: "transient", reason: "does not follow the head" }
    }
    const result = this.judge(blocks)
    store.apply(blocks.slice(0, result.applied).map(({ id }) => id))
    return result
  }

  private onSide(blocks: ReadonlyArray<HeaderFacts>): Outcome {
    const { store, watch } = this.world
    const parent = blocks[0]?.parent ?? ""
    if (store.appliedLevel(parent) === undefined && !this.aside.has(parent)) {
      watch.fail(`side block ${blocks[0]?.id} given on top of ${parent}, which is not applied`)
    }
    const result = this.judge(blocks)
    for (const { id } of blocks.slice(0, result.applied)) this.aside.add(id)
    return result
  }

  private judge(blocks: ReadonlyArray<HeaderFacts>): Outcome {
    const { invalidAt, transient } = this.world.spec.applier
    const bad = invalidAt === undefined ? -1 : blocks.findIndex(({ level }) => level === invalidAt)
    if (bad >= 0) return { applied: bad, outcome: "invalid", reason: "refused" }
    if (!this.random.chance(transient)) return { applied: blocks.length, outcome: "ok", reason: "" }
    this.transients++
    return { applied: this.random.int(0, blocks.length - 1), outcome: "transient", reason: "busy" }
  }
}
