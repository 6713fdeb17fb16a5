/** All appliers pass one kit, and the kit rejects every applier with a known fault, for the right reason. */
import { assert, describe, it } from "@effect/vitest"
import { Appliers, type BlockId, type BlockRef } from "@peerstrap/chain-bootstrap"
import {
  ApplierBench,
  type ApplierBenchService,
  blockApplierKit,
  blockApplierSuite,
  judgeOf,
  simulatorBench,
  syntheticApplierBlocks
} from "@peerstrap/chain-bootstrap/testing"
import { mutantSuiteOf } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { join } from "node:path"

const benchOf = (bench: Omit<ApplierBenchService, "blocks">) =>
  Layer.succeed(ApplierBench)({ blocks: syntheticApplierBlocks, ...bench })

const archive = benchOf({ make: () => Effect.succeed({ applier: Appliers.archive() }) })

const callback = benchOf({
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
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const command = Layer.sync(ApplierBench, () => {
  const pids: Array<number> = []
  return {
    blocks: syntheticApplierBlocks,
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
        (applier) => {
          // The child names itself `child PID`.
          pids.push(Number(applier.name.split(" ")[1]))
          return { applier }
        }
      ),
    resources: Effect.sync(() => pids.filter(isAlive).length)
  }
})

describe("BlockApplier", () => {
  const archived = blockApplierSuite("archive", archive, {
    capabilities: {
      verdicts: false,
      branches: true,
      undo: true,
      "own-head": false,
      "visible-chain": false,
      "counted-units": false,
      "counted-resources": false,
      interruptible: true
    },
    test: it
  })
  blockApplierSuite("callback", callback, {
    capabilities: {
      verdicts: true,
      branches: false,
      undo: true,
      "own-head": true,
      "visible-chain": true,
      "counted-units": true,
      "counted-resources": false,
      interruptible: true
    },
    test: it
  })
  for (const branches of ["one", "many"] as const) {
    blockApplierSuite(`simulator, ${branches}`, simulatorBench(branches), {
      capabilities: {
        verdicts: true,
        branches: branches === "many",
        undo: true,
        "own-head": true,
        "visible-chain": true,
        "counted-units": true,
        "counted-resources": true,
        interruptible: true
      },
      test: it
    })
  }
  blockApplierSuite("command", command, {
    capabilities: {
      verdicts: true,
      branches: true,
      undo: true,
      "own-head": true,
      "visible-chain": false,
      "counted-units": false,
      "counted-resources": true,
      interruptible: false
    },
    test: it
  })

  it("what an applier is not asked is said with the capability that it lacks", () => {
    assert.strictEqual(archived.asked.length, 5)
    assert.strictEqual(archived.asked.length + archived.leftOut.length, blockApplierKit.checks.length)
    assert.deepInclude(archived.leftOut, { check: "gets every unit, when it asks for bodies", lacks: "counted-units" })
  })

  mutantSuiteOf(blockApplierKit, it)
})
