/** What the kit cannot say of each applier: toy states, user functions that throw, processes that misbehave. */
import { assert, describe, it } from "@effect/vitest"
import { Appliers } from "@peerstrap/chain-bootstrap"
import { makeSyntheticChain } from "@peerstrap/chain-bootstrap/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const chain = makeSyntheticChain({ seed: 5, levels: 6, forks: [{ from: 2, length: 3 }] })
const root = join(import.meta.dirname, "..", "..", "..")

const child = (fault: string, more: Partial<Appliers.CommandOptions> = {}) =>
  Appliers.command({
    command: process.execPath,
    args: [join(import.meta.dirname, "ApplierChild.ts")],
    env: { FAULT: fault, BASE: JSON.stringify({ level: 0, hash: chain.base.id }) },
    ...more
  })

const bytesTo = (level: number): number =>
  chain.main.slice(1, level + 1).flatMap(({ units }) => units).reduce((sum, { length }) => sum + length, 0)

/** A process that has ended and that nobody has waited for yet is not alive. */
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")
  } catch {
    return false
  }
}

const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** A killed grandchild is not ours to reap: it is gone some turns later, or the time of the test runs out. */
const gone = (pid: number): Effect.Effect<void> =>
  Effect.suspend(() => isAlive(pid) ? Effect.andThen(turn, gone(pid)) : Effect.void)

const failureOf = (fault: string) =>
  Effect.flip(Effect.flatMap(child(fault), (applier) => applier.apply(chain.main.slice(1, 3))))

describe("simulator", () => {
  it.effect("reaches the state that follows from the blocks alone", () =>
    Effect.gen(function*() {
      const applier = Appliers.simulator({ base: chain.base })
      yield* applier.apply(chain.main.slice(1, 5))
      yield* applier.apply(chain.forks[0]!)
      const state = (ids: ReadonlyArray<(typeof chain.main)[number]>): number =>
        ids.reduce((before, block) => Appliers.simulatedState(before, block), 0)
      assert.strictEqual(applier.stateOf(chain.at(4).header.id), state(chain.main.slice(1, 5)))
      const branch = [...chain.main.slice(1, 3), ...chain.forks[0]!]
      assert.strictEqual(applier.stateOf(branch.at(-1)!.header.id), state(branch))
      yield* applier.forget(branch.at(-3)!.header.id)
      assert.strictEqual(applier.stateOf(branch.at(-1)!.header.id), undefined)
      assert.strictEqual(applier.applied.length, 4)
    }))

  it.effect("takes its time from the clock, and keeps so many branches", () =>
    Effect.gen(function*() {
      const applier = Appliers.simulator({ base: chain.base, costMillis: 100, maxBranches: 0 })
      const fiber = yield* Effect.forkChild(applier.apply(chain.main.slice(1, 6)))
      yield* TestClock.adjust(499)
      assert.strictEqual(applier.tries, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber)).applied, 5)
      const side = yield* Effect.forkChild(applier.apply(chain.forks[0]!))
      yield* TestClock.adjust(1000)
      assert.strictEqual((yield* Fiber.join(side)).outcome, "transient")
    }))
})

describe("callback", () => {
  it.effect("ends the run when a function throws or is missing", () =>
    Effect.gen(function*() {
      const applier = Appliers.callback({
        name: "mine",
        block: () => {
          throw new Error("disk on fire")
        }
      })
      const thrown = yield* Effect.flip(applier.apply(chain.main.slice(1, 2)))
      assert.include(thrown.message, "disk on fire")
      assert.strictEqual(thrown.applier, "mine")
      const missing = yield* Effect.flip(applier.rollback(chain.base))
      assert.include(missing.message, "no rollback function")
      assert.strictEqual(yield* applier.head, undefined)
    }))
})

describe("command", () => {
  it.live("quotes the exit code and the last words of a process that ends", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const applier = yield* child("exit", { onErrorLine: (line) => lines.push(line) })
      const first = yield* Effect.flip(applier.apply(chain.main.slice(1, 3)))
      assert.match(first.message, /ended with exit code 3.*first words\nlast words\n.*start again/s)
      assert.deepStrictEqual(lines, ["first words", "last words"])
      const again = yield* Effect.flip(applier.apply(chain.main.slice(1, 3)))
      assert.strictEqual(again.message, first.message)
    }))

  const words: ReadonlyArray<readonly [string, RegExp]> = [
    ["garbage", /what is no answer: "not json"/],
    ["other", /answered about "00"/],
    ["long", /a line of more than 65536 bytes/],
    ["rude", /began with .*something-else/]
  ]
  for (const [fault, expected] of words) {
    it.live(`fails for a process that is ${fault}`, () =>
      Effect.gen(function*() {
        assert.match((yield* failureOf(fault)).message, expected)
      }))
  }

  it.live("fails for a process that may not refuse and does", () =>
    Effect.gen(function*() {
      const applier = yield* child("refuse")
      assert.match((yield* Effect.flip(applier.rollback(chain.base))).message, /refused to roll back to .*never/)
    }))

  it.live("fails for a command that is not there", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Appliers.command({ command: "/no/such/command", args: [] }))
      assert.match(failure.message, /cannot be started: .*ENOENT/)
    }))

  it.effect("gives up a process that says no hello", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.scoped(Effect.flip(child("mute", { stopMillis: 0 }))))
      yield* TestClock.adjust(30_000)
      yield* TestClock.adjust(1)
      assert.match((yield* Fiber.join(fiber)).message, /has not said hello in time/)
    }))

  it.live("kills a process that stays when the scope ends", () =>
    Effect.gen(function*() {
      const name = yield* Effect.scoped(Effect.map(child("stays", { stopMillis: 20 }), (applier) => applier.name))
      assert.isFalse(isAlive(Number(name.split(" ")[1])))
    }))

  it.live("kills what a shell has started as well", () =>
    Effect.gen(function*() {
      const script = `"${process.execPath}" "${join(import.meta.dirname, "ApplierChild.ts")}"; true`
      const options = { command: "/bin/sh", args: ["-c", script], stopMillis: 20 }
      const name = yield* Effect.scoped(Effect.map(child("stays", options), (applier) => applier.name))
      yield* gone(Number(name.split(" ")[1]))
    }))

  it.live("runs the example of its documentation", () =>
    Effect.gen(function*() {
      const page = readFileSync(join(root, "docs", "command-applier.md"), "utf8")
      const example = /^```js[^\n]*\n(.*?)^```$/ms.exec(page)![1]!
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "applier-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const path = join(directory, "counter.mjs")
      writeFileSync(path, example)
      const lines: Array<string> = []
      const onErrorLine = (line: string): void => void lines.push(line)
      yield* Effect.scoped(Effect.gen(function*() {
        const applier = yield* Appliers.command({
          command: process.execPath,
          args: [path],
          cwd: directory,
          onErrorLine
        })
        assert.deepStrictEqual([applier.name, applier.branches, applier.needsBodies], ["byte counter", "one", true])
        assert.strictEqual((yield* applier.apply(chain.main.slice(1, 5))).applied, 4)
        assert.strictEqual((yield* applier.apply(chain.main.slice(6, 7))).outcome, "transient")
        yield* applier.rollback({ id: chain.at(2).header.id, level: 2 })
        assert.strictEqual((yield* applier.apply(chain.main.slice(3, 7))).applied, 4)
      }))
      const expected = [1, 2, 3, 4, 3, 4, 5, 6].map((level) => `level ${level}: ${bytesTo(level)} bytes`)
      assert.deepStrictEqual(lines, expected)
    }))
})
