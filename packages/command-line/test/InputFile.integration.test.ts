/** A config file that is no regular file: pipes are read, endless and silent ones hold nobody, and all else is refused in words. */
import { assert, describe, it } from "@effect/vitest"
import { readInputFile } from "@peerstrap/command-line"
import { childProgram } from "@peerstrap/command-line/testing"
import * as Effect from "effect/Effect"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("support/endings.ts", import.meta.url))
const { runChild } = childProgram(main)
const program = `"${process.execPath}" --conditions=@peerstrap/source "${main}"`

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "input-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const runShell = (line: string) => {
  const { status, stderr, stdout } = spawnSync("bash", ["-c", line], { encoding: "utf8" })
  return { status, stderr, stdout }
}

describe.skipIf(process.platform === "win32")("an input file", () => {
  it.effect("is read whole up to its bound, and refused above it", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "file")
      const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251)
      writeFileSync(path, bytes)
      assert.deepStrictEqual(readInputFile(path, 200_000), bytes)
      assert.deepStrictEqual(readInputFile(path, 199_999), {
        problem: `${path} has 200000 bytes, at most 199999 are read`
      })
      writeFileSync(path, "")
      assert.deepStrictEqual(readInputFile(path), new Uint8Array(0))
    }))

  it.effect("that is a directory, a socket or nothing is refused in words", () =>
    Effect.gen(function*() {
      const at = yield* folder
      assert.deepStrictEqual(readInputFile(at), { problem: `${at} is a directory; give a file` })
      const socket = join(at, "socket")
      const server = createServer().listen(socket)
      yield* Effect.promise(() => once(server, "listening"))
      assert.deepStrictEqual(readInputFile(socket), {
        problem: `${socket} is a socket, which cannot be opened; give a file or a pipe`
      })
      server.close()
      const { problem } = readInputFile(join(at, "gone")) as { readonly problem: string }
      assert.match(problem, /gone cannot be read: ENOENT/)
    }))

  it.effect.skipIf(!existsSync("/dev/zero"))(
    "that never ends is read no further than the bound",
    () =>
      Effect.gen(function*() {
        const { code, err } = yield* runChild("prints", "--config", "/dev/zero")
        assert.deepStrictEqual([code, err.split("\n")[1]], [
          2,
          "  --config: /dev/zero has more than 1048576 bytes, which are not read"
        ])
      }),
    30_000
  )

  it("may be a pipe that writes late, or the shell's own", () => {
    const late = runShell(
      `(read -r < <(${program} --version); echo 'prints: { num-bytes: 3 }') | ${program} prints --config /dev/stdin`
    )
    assert.deepStrictEqual(late, { status: 0, stderr: "", stdout: "xxxend\n" })
    const substituted = runShell(`${program} prints --config <(echo 'prints: { num-bytes: 4 }')`)
    assert.deepStrictEqual(substituted, { status: 0, stderr: "", stdout: "xxxxend\n" })
    const wrong = runShell(`echo 'prints: { num-byte: 4 }' | ${program} prints --config /dev/stdin`)
    assert.deepStrictEqual([wrong.status, wrong.stdout], [2, ""])
    assert.include(wrong.stderr, "/dev/stdin:1:11: num-byte: no such key of prints; did you mean num-bytes?")
  }, 30_000)

  it.live("into which nobody writes ends with the first signal", () =>
    Effect.gen(function*() {
      const at = yield* folder
      const pipe = join(at, "pipe")
      spawnSync("mkfifo", [pipe])
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        const child = spawn(process.execPath, ["--conditions=@peerstrap/source", main, "prints", "--config", pipe])
        // Opening a pipe for writing waits for its reader: the program is there, and waits for us.
        const opened = spawn("sh", ["-c", `exec 3>"$0"; echo open; cat >/dev/null`, pipe])
        yield* Effect.promise(() => once(opened.stdout, "data"))
        child.kill(signal)
        const [code, by] = yield* Effect.promise(() => once(child, "close"))
        opened.stdin.end()
        assert.deepStrictEqual([code, by], [null, signal])
      }
    }).pipe(Effect.scoped), 30_000)
})
