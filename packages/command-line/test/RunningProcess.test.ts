/** What a command says about the process that it asked. */
import { assert, describe, it } from "@effect/vitest"
import { askRunning, controlFailure, ExitCode, isAbsent } from "@peerstrap/command-line"
import { ControlError, ControlSocketError, serveControl } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const toError = controlFailure({ remedy: "start it", usageCodes: ["unknown-level"] })
const socketError = (reason: ControlSocketError["reason"]) =>
  new ControlSocketError({ path: "/x", reason, message: reason })

describe("asking a running process", () => {
  it.live("hands the answer on, and the process's own refusal", () =>
    Effect.gen(function*() {
      const path = join(mkdtempSync(join(tmpdir(), "asked-")), "control.sock")
      yield* serveControl(path, {
        twice: ({ n }) => Effect.succeed({ n: 2 * Number(n) }),
        never: () => Effect.fail(new ControlError({ code: "no-such-peer", message: "no such peer" }))
      })
      assert.deepStrictEqual(yield* askRunning(path, "twice", { n: 21 }, 5_000), { n: 42 })
      const refusal = yield* Effect.flip(askRunning(path, "never", {}, 5_000))
      assert.strictEqual(toError(refusal).exitCode, ExitCode.no)
    }).pipe(Effect.scoped))

  it("says 1 where there is no such process, with what to do, 2 for wrong usage, 4 for this machine", () => {
    assert.isTrue(isAbsent(socketError("not-running")))
    assert.strictEqual(toError(socketError("refused")).exitCode, ExitCode.no)
    assert.strictEqual(toError(socketError("not-running")).remedy, "start it")
    assert.strictEqual(toError(socketError("path-too-long")).exitCode, ExitCode.usage)
    assert.strictEqual(toError(socketError("timeout")).exitCode, ExitCode.local)
    assert.strictEqual(toError(socketError("timeout")).remedy, "")
    assert.strictEqual(toError(new ControlError({ code: "unknown-level", message: "x" })).exitCode, ExitCode.usage)
  })
})
