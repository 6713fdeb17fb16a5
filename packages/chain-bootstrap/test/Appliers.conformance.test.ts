/** All appliers pass one kit, and the kit rejects every applier with a known fault, for the right reason. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Appliers, type Block, type BlockApplierService, type BlockId } from "@peerstrap/chain-bootstrap"
import {
  ApplierBench,
  type ApplierBenchService,
  blockApplierKit,
  blockApplierSuite,
  judgeOf,
  restartable,
  simulatorBench,
  syntheticApplierBlocks
} from "@peerstrap/chain-bootstrap/testing"
import { mutantSuiteOf } from "@peerstrap/conformance"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const benchOf = (bench: Omit<ApplierBenchService, "blocks">) =>
  Layer.succeed(ApplierBench)({ blocks: syntheticApplierBlocks, ...bench })

const archive = benchOf({
  make: () => restartable(Effect.sync(() => ({ applier: Appliers.archive() })), () => Effect.void)
})

/** An index in an array that outlives whoever fills it; `head`: it tells where it is. */
const callback = (keepsHead: boolean) =>
  benchOf({
    make: (base, verdicts) =>
      Effect.suspend(() => {
        const judge = judgeOf(verdicts)
        const chain: Array<BlockId> = []
        let bytes = 0
        const headId = (): BlockId => chain.at(-1) ?? base.id
        const block = async ({ header, units }: Block): Promise<Appliers.Verdict> => {
          await Promise.resolve()
          // One that tells no head may get a block twice, after a stop.
          if (!keepsHead && chain.includes(header.id)) return "ok"
          if (header.parent !== headId()) return { retry: "not on the head" }
          const verdict = judge({ header, units })
          if (verdict === "ok") {
            chain.push(header.id)
            bytes += units.reduce((sum, { length }) => sum + length, 0)
          }
          return verdict
        }
        const one = Effect.sync(() => ({
          applier: Appliers.callback({
            block,
            rollback: (to) => {
              chain.length = to.level - base.level
            },
            ...(keepsHead ? { head: () => ({ id: headId(), level: base.level + chain.length }) } : {})
          }),
          chain: Effect.sync(() => [...chain]),
          unitBytes: Effect.sync(() => bytes)
        }))
        // A function that was called ends in its own time: `head` waits for it.
        const waited = Effect.acquireRelease(one, ({ applier }) => Effect.orDie(applier.head))
        return restartable(waited, ({ applier }) => Effect.orDie(applier.head))
      })
  })

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const temporary = (): string => mkdtempSync(join(tmpdir(), "peerstrap-applier-"))
const compiled = temporary()
afterAll(() => rmSync(compiled, { recursive: true }))

const folder = Effect.acquireRelease(
  Effect.sync(temporary),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** The child names itself `child PID`. */
const pidOf = ({ name }: BlockApplierService): number => Number(name.split(" ")[1])

const command = Layer.effect(
  ApplierBench,
  Effect.map(folder, (path) => {
    const pids: Array<number> = []
    let made = 0
    const make: ApplierBenchService["make"] = (base, { invalid, retries }) =>
      Effect.suspend(() => {
        const child = Appliers.command({
          command: process.execPath,
          args: [join(import.meta.dirname, "ApplierChild.ts")],
          env: {
            BASE: JSON.stringify({ level: base.level, hash: base.id }),
            // Many are started: the first leaves its compiled modules to the others.
            NODE_COMPILE_CACHE: compiled,
            STATE: join(path, `state-${made++}`),
            VERDICTS: JSON.stringify({ invalid, retries: [...retries] })
          }
        })
        const open = Effect.map(child, (applier) => {
          pids.push(pidOf(applier))
          return { applier }
        })
        return restartable(open, ({ applier }) =>
          Effect.sync(() => void (isAlive(pidOf(applier)) && process.kill(pidOf(applier), "SIGKILL"))))
      })
    return { blocks: syntheticApplierBlocks, make, resources: Effect.sync(() => pids.filter(isAlive).length) }
  })
)

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
      interruptible: true,
      restart: true,
      kill: true
    },
    test: it
  })
  for (const keepsHead of [true, false]) {
    blockApplierSuite(`callback ${keepsHead ? "with" : "without"} a head`, callback(keepsHead), {
      capabilities: {
        verdicts: true,
        branches: false,
        undo: true,
        "own-head": keepsHead,
        "visible-chain": true,
        "counted-units": true,
        "counted-resources": false,
        interruptible: true,
        restart: true,
        kill: true
      },
      test: it
    })
  }
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
        interruptible: true,
        restart: true,
        kill: true
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
      interruptible: false,
      restart: true,
      kill: true
    },
    test: it
  })

  it("what an applier is not asked is said with the capability that it lacks", () => {
    assert.strictEqual(archived.asked.length, 15)
    assert.strictEqual(archived.asked.length + archived.leftOut.length, blockApplierKit.checks.length)
    assert.deepInclude(archived.leftOut, { check: "gets every unit, when it asks for bodies", lacks: "counted-units" })
  })

  mutantSuiteOf(blockApplierKit, it)
})
