/** Real processes and a real disk: SIGKILL at several moments, two processes at one store, an index that is gone or cut. */
import { assert, describe, it } from "@effect/vitest"
import { verifyStore } from "@peerstrap/chain-bootstrap"
import { makeSyntheticChain, syntheticRules } from "@peerstrap/chain-bootstrap/testing"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { observe } from "./StoreObservation.ts"
import { openOnDisk, temporaryDirectory } from "./StorePlaces.ts"

const levels = 3000
const chain = makeSyntheticChain({ seed: 31, levels, unitsPerBlock: 2, unitBytes: 400 })

const start = (directory: string): ChildProcess =>
  spawn(
    process.execPath,
    ["--conditions=@peerstrap/source", join(import.meta.dirname, "KilledStore.ts"), directory, String(levels)],
    { stdio: ["ignore", "pipe", "inherit"] }
  )

/** Kills the process so many turns of the event loop after it has printed so many lines; answers its lines. */
const killAfter = (directory: string, lines: number, turns: number): Promise<ReadonlyArray<string>> =>
  new Promise((resolve, reject) => {
    const child = start(directory)
    let printed = ""
    let isKilling = false
    const kill = (left: number): void => {
      if (left === 0) child.kill("SIGKILL")
      else setImmediate(() => kill(left - 1))
    }
    child.stdout!.on("data", (chunk) => {
      printed += chunk
      if (isKilling || printed.split("\n").length <= lines) return
      isKilling = true
      kill(turns)
    })
    child.on("error", reject)
    child.on("close", () => resolve(printed.split("\n").slice(0, -1)))
  })

const highest = (lines: ReadonlyArray<string>): number => Number(lines.at(-1)!.split(" ")[1])

describe("a store whose process is killed", () => {
  it.live("has everything that was reported as stored, also with its index gone or cut", () =>
    Effect.gen(function*() {
      const root = yield* temporaryDirectory
      const directory = join(root, "store")
      for (const [lines, turns] of [[1, 0], [2, 7], [30, 200], [40, 0]] as const) {
        const reported = highest(yield* Effect.promise(() => killAfter(directory, lines, turns)))
        yield* Effect.scoped(Effect.gen(function*() {
          const store = yield* openOnDisk(directory)
          assert.isAtLeast(store.head.level, reported)
          assert.deepStrictEqual([store.openReport.rebuilt, store.openReport.damages], [undefined, 0])
          const { blocks, problems } = yield* verifyStore(store, syntheticRules)
          assert.deepStrictEqual([blocks, problems], [store.head.level, 0])
        }))
      }
      const whole = yield* Effect.scoped(
        Effect.flatMap(openOnDisk(directory), (store) => observe(store, chain.main.slice(1, 100)))
      )
      const index = join(directory, "index.sqlite")
      const spoil: ReadonlyArray<readonly [string, () => void]> = [
        ["deleted", () => rmSync(index)],
        ["cut", () => truncateSync(index, Math.floor(statSync(index).size / 2 / 4096) * 4096)],
        ["empty", () => truncateSync(index, 0)],
        ["no index", () => writeFileSync(index, "something else entirely, longer than a header of SQLite".repeat(20))]
      ]
      for (const [what, change] of spoil) {
        change()
        yield* Effect.scoped(Effect.gen(function*() {
          const store = yield* openOnDisk(directory)
          assert.isString(store.openReport.rebuilt, what)
          assert.deepStrictEqual(yield* observe(store, chain.main.slice(1, 100)), whole, what)
        }))
      }
    }), 60_000)

  it.live(
    "is refused to a second process, which is told the first one's id, and free again once that is dead",
    () =>
      Effect.gen(function*() {
        const root = yield* temporaryDirectory
        const child = start(root)
        yield* Effect.promise(() => new Promise((resolve) => child.stdout!.once("data", resolve)))
        const error = yield* Effect.flip(Effect.scoped(openOnDisk(root)))
        assert.strictEqual(error.reason, "in-use")
        assert.include(error.message, `process ${child.pid}`)
        const closed = new Promise((resolve) => child.once("close", resolve))
        child.kill("SIGKILL")
        yield* Effect.promise(() => closed)
        assert.isAtLeast((yield* openOnDisk(root)).head.level, 0)
      }),
    30_000
  )
})
