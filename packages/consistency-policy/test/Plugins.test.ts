import { assert, describe, it } from "@effect/vitest"
import { compose, type Composition, explainText, Host } from "@peerstrap/plugin-host"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { LevelSource } from "../src/index.ts"
import { consistencyPlugins, fixedLevel, settableLevel, watchedLevel } from "../src/plugin/index.ts"

/** Sets the level of the only plugin through the host; what the source says before and after. */
const setting = (composition: Composition<LevelSource>, level: unknown) =>
  Host.run(composition, (host) =>
    Effect.gen(function*() {
      const source = yield* LevelSource
      const plugin = host.graph.nodes[0]!.name
      const before = yield* source.current
      const change = yield* Effect.result(
        host.settings.change({ plugin, setting: "level", value: level, origin: "a test" })
      )
      return { before, change, after: yield* source.current }
    }))

describe("levels as plugins", () => {
  it.effect("a settable level is changed through the host, with its origin", () =>
    Effect.gen(function*() {
      const { after, before, change } = yield* setting(compose(settableLevel({})), "one")
      assert.deepStrictEqual([before, after], [
        { level: "majority", origin: "settings" },
        { level: "one", origin: "a test" }
      ])
      assert.strictEqual(change._tag, "Success")
      const wrong = yield* setting(compose(settableLevel({ level: "all" })), "most")
      assert.deepStrictEqual([wrong.change._tag, wrong.after.level], ["Failure", "all"])
      const { message } = wrong.change._tag === "Failure" ? wrong.change.failure : { message: "" }
      assert.include(message, "want one of none, one, unstrict_majority, majority, unstrict_all, all")
      assert.notInclude(message, "Expected")
    }))

  it.effect("a fixed one is not", () =>
    Effect.gen(function*() {
      const { after, change } = yield* setting(compose(fixedLevel({ level: "none" })), "one")
      assert.deepStrictEqual([change._tag, after.level], ["Failure", "none"])
    }))

  it.live("that of a file is read, and set all the same", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "peerstrap-level-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const path = join(folder, "level")
      writeFileSync(path, "unstrict_all\n")
      const { after, before } = yield* setting(compose(watchedLevel({ path })), "one")
      assert.deepStrictEqual([before.level, after.level], ["unstrict_all", "one"])
    }).pipe(Effect.scoped))

  it.live("a change by the file is what the next one is a change from", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "peerstrap-level-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const path = join(folder, "level")
      const from = yield* Host.run(compose(watchedLevel({ path, otherwise: "all" })), (host) =>
        Effect.gen(function*() {
          const source = yield* LevelSource
          writeFileSync(path, "none\n")
          yield* Stream.runHead(Stream.filter(source.changes, ({ level }) => level === "none"))
          const plugin = "consistency.watched-file"
          const change = yield* host.settings.change({ plugin, setting: "level", value: "one", origin: "a test" })
          return change.from
        }))
      assert.strictEqual(from, "none")
    }).pipe(Effect.scoped))

  it("each explains itself", () => {
    for (const plugin of consistencyPlugins) assert.match(explainText(plugin), /provides\n {2}consistency \(one\)/)
  })
})
