/** All appliers pass one kit, and the kit rejects every applier with a known fault. */
import { assert, describe, it } from "@effect/vitest"
import { Appliers, type Block, type BlockId, type BlockRef } from "@peerstrap/chain-bootstrap"
import {
  applierChecksFor,
  blockApplierMutants,
  type BlockApplierSubject,
  blockApplierSuite,
  type ScriptedVerdicts
} from "@peerstrap/chain-bootstrap/testing"
import * as Effect from "effect/Effect"
import { join } from "node:path"

const judgeOf = ({ invalid, retries }: ScriptedVerdicts): (block: Block) => Appliers.Verdict => {
  const left = new Map(retries)
  return ({ header }) => {
    if (invalid.includes(header.id)) return { invalid: "told so" }
    const count = left.get(header.id) ?? 0
    left.set(header.id, count - 1)
    return count > 0 ? { retry: `${count} more times` } : "ok"
  }
}

const unknown = Effect.void.pipe(Effect.as(undefined))

const archive: BlockApplierSubject = {
  name: "archive",
  judges: false,
  make: () => Effect.succeed({ applier: Appliers.archive(), chain: unknown, unitBytes: unknown })
}

const callback: BlockApplierSubject = {
  name: "callback",
  judges: true,
  make: (base, verdicts) =>
    Effect.sync(() => {
      const judge = judgeOf(verdicts)
      const chain: Array<BlockId> = []
      let bytes = 0
      const headId = (): BlockId => chain.at(-1) ?? base.id
      const applier = Appliers.callback({
        head: () => ({ id: headId(), level: base.level + chain.length }),
        block: async (block) => {
          await Promise.resolve()
          if (block.header.parent !== headId()) return { retry: "not on the head" }
          const verdict = judge(block)
          if (verdict === "ok") {
            chain.push(block.header.id)
            bytes += block.units.reduce((sum, { length }) => sum + length, 0)
          }
          return verdict
        },
        rollback: (to: BlockRef) => {
          chain.length = to.level - base.level
        }
      })
      return { applier, chain: Effect.sync(() => [...chain]), unitBytes: Effect.sync(() => bytes) }
    })
}

const simulator = (branches: "one" | "many"): BlockApplierSubject => ({
  name: `simulator, ${branches}`,
  judges: true,
  make: (base, verdicts) =>
    Effect.sync(() => {
      const parents = new Map<BlockId, BlockId>()
      let bytes = 0
      const judge = judgeOf(verdicts)
      const applier = Appliers.simulator({
        base,
        branches,
        judge: (block) => {
          parents.set(block.header.id, block.header.parent)
          bytes += block.units.reduce((sum, { length }) => sum + length, 0)
          return judge(block)
        }
      })
      const chain = Effect.sync(() => {
        const ids: Array<BlockId> = []
        for (let id = applier.current.id; id !== base.id; id = parents.get(id)!) ids.unshift(id)
        return ids
      })
      return { applier, chain, unitBytes: Effect.sync(() => bytes) }
    })
})

const command: BlockApplierSubject = {
  name: "command",
  judges: true,
  make: (base, { invalid, retries }) =>
    Effect.map(
      Appliers.command({
        command: process.execPath,
        args: [join(import.meta.dirname, "ApplierChild.ts")],
        env: {
          BASE: JSON.stringify({ level: base.level, hash: base.id }),
          VERDICTS: JSON.stringify({ invalid, retries: [...retries] })
        }
      }),
      (applier) => ({ applier, chain: unknown, unitBytes: unknown })
    )
}

const subjects = [[archive, "many"], [callback, "one"], [simulator("one"), "one"], [simulator("many"), "many"]] as const

describe("BlockApplier", () => {
  for (const [subject, branches] of subjects) {
    for (const check of applierChecksFor(subject, branches)) {
      it.effect(`${subject.name}: ${check.name}`, () => check.run(subject))
    }
  }
  for (const check of applierChecksFor(command, "many")) {
    it.live(`command: ${check.name}`, () => Effect.scoped(check.run(command)))
  }

  it("leaves out only what a subject does not claim", () => {
    assert.strictEqual(applierChecksFor(archive, "many").length, 5)
    assert.strictEqual(applierChecksFor(callback, "one").length, 7)
    assert.strictEqual(applierChecksFor(simulator("many"), "many").length, blockApplierSuite.length)
  })

  for (const mutant of blockApplierMutants) {
    it.effect(`rejects an applier that ${mutant.name}`, () =>
      Effect.gen(function*() {
        const subject = mutant.mutate(simulator("many"))
        const noticed = yield* Effect.forEach(applierChecksFor(subject, "many"), (check) =>
          Effect.match(Effect.scoped(check.run(subject)), { onFailure: () => 1, onSuccess: () => 0 }))
        assert.isAbove(
          noticed.reduce((sum: number, one) =>
            sum + one, 0),
          0,
          "no check noticed"
        )
      }))
  }
})
