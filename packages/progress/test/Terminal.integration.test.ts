import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const program = `
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { liveView } from "@peerstrap/progress"
import { sampleSnapshot } from "./sample.ts"

const fiber = Effect.runFork(Effect.scoped(Effect.gen(function*() {
  yield* liveView({
    snapshot: sampleSnapshot,
    write: (text) => process.stderr.write(text),
    color: false,
    size: () => ({ columns: 100, rows: 30 })
  })
  yield* Effect.never
})))
process.once("SIGINT", () => Effect.runFork(Fiber.interrupt(fiber)))
`

describe("liveView in a process of its own", () => {
  it.live("leaves a whole block and the cursor behind when it gets SIGINT", () =>
    Effect.gen(function*() {
      const args = ["--conditions=@peerstrap/source", "--input-type=module-typescript", "-e", program]
      const child = spawn(process.execPath, args, {
        cwd: fileURLToPath(new URL(".", import.meta.url)),
        stdio: ["ignore", "inherit", "pipe"]
      })
      let shown = ""
      child.stderr.setEncoding("utf8")
      const painted = new Promise<void>((resolve) =>
        child.stderr.on("data", (text: string) => {
          shown += text
          if (shown.includes("fetching")) resolve()
        })
      )
      yield* Effect.promise(() => painted)
      assert.include(shown, "\u001b[?25l")
      child.kill("SIGINT")
      yield* Effect.promise(() => once(child, "close"))
      assert.isTrue(shown.endsWith("\u001b[?25h"), JSON.stringify(shown.slice(-100)))
    }))
})
