import { assert, describe, it } from "@effect/vitest"
import { commandHelp, ExitCode } from "@peerstrap/command-line"
import { controlFailure, controlFlagsOf, planControlOf } from "@peerstrap/command-line"
import { inProcess } from "@peerstrap/command-line/testing"
import { settableLog } from "@peerstrap/plugin-host/plugin"
import { serveControl } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compose, Host, isLogged, LogThreshold, setCommand, type SettingChange, settingsControl } from "../src/index.ts"

const place = { flag: "out", what: "directory", directory: "/data", socket: "/run/x.sock" } as const
const set = setCommand({
  flags: controlFlagsOf(place),
  plan: planControlOf(place),
  timeoutMillis: ({ timeout }) => timeout,
  toError: controlFailure({ remedy: "start it", usageCodes: ["unknown-plugin", "unknown-setting", "bad-value"] }),
  place: "--out /data"
})
const program = { name: "shop", summary: "counts", version: "1.0.0", commands: [set] }
const shop = inProcess(program)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "settings-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

describe("set, over the control socket of a running composition", () => {
  it.live("lists what can change, changes it with an audit, and refuses what does not fit", () =>
    Effect.scoped(Effect.gen(function*() {
      const out = yield* folder
      const changes: Array<SettingChange> = []
      yield* Host.run(compose(settableLog({})), (host) =>
        Effect.scoped(Effect.gen(function*() {
          yield* serveControl(join(out, "control.sock"), settingsControl(() => host))
          const log = yield* LogThreshold
          assert.match((yield* shop("set", "--out", out)).out, /^log\.settable level info {2}from which level/)
          const done = yield* shop("set", "log.settable", "level", "debug", "--out", out)
          assert.deepEqual([done.code, done.out], [ExitCode.done, "log.settable level debug (was info)\n"])
          assert.strictEqual(log.level(), "debug")
          for (
            const words of [["log.setable", "level", "info"], ["log.settable", "levle", "info"], [
              "log.settable",
              "level",
              "loud"
            ]]
          ) {
            const refused = yield* shop("set", ...words, "--out", out)
            assert.strictEqual(refused.code, ExitCode.usage, refused.err)
          }
          const json = JSON.parse((yield* shop("set", "--out", out, "--json")).out)
          assert.deepEqual(json.changes.map(({ origin }: SettingChange) => origin), ["control socket"])
        })), { onChange: (change) => changes.push(change) })
      assert.deepEqual(changes.map(({ from, to }) => [from, to]), [["info", "debug"]])
    })))

  it.live("says so before the composition has started, and when nobody runs", () =>
    Effect.scoped(Effect.gen(function*() {
      const out = yield* folder
      const absent = yield* shop("set", "--out", out)
      assert.deepEqual([absent.code, /start it/.test(absent.err)], [ExitCode.no, true])
      yield* serveControl(join(out, "control.sock"), settingsControl(() => undefined))
      const early = yield* shop("set", "--out", out)
      assert.deepEqual([early.code, /has not begun yet/.test(early.err)], [ExitCode.no, true])
    })))

  it("wants all three words or none", () => {
    assert.match(commandHelp(program, set), /PLUGIN SETTING VALUE/)
  })

  it.effect("two words are wrong usage", () =>
    Effect.map(shop("set", "a", "b", "--out", "/nowhere"), ({ code, err }) => {
      assert.strictEqual(code, ExitCode.usage)
      assert.match(err, /want all three, or none/)
    }))
})

const passed = (threshold: Parameters<typeof isLogged>[1]) =>
  ["Trace", "Debug", "Info", "Warn", "Error", "Fatal"].filter((level) => isLogged(level, threshold))

describe("isLogged", () => {
  it("passes a level and what is worse", () => {
    assert.deepEqual(passed("warn"), ["Warn", "Error", "Fatal"])
    assert.deepEqual(passed("trace").length, 6)
    assert.deepEqual(passed("none"), [])
  })
})
