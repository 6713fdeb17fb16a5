import { assert, describe, it } from "@effect/vitest"
import { ControlError, type ControlSocketError, progressLimits, request, serveControl } from "@peerstrap/progress"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const socketPath = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "peerstrap-control-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
).pipe(Effect.map((folder) => join(folder, "control.sock")))

const commands = {
  echo: (args: unknown) => Effect.succeed(args),
  fail: () => Effect.fail(new ControlError({ code: "not-now", message: "ask later" })),
  defect: () => Effect.die(new Error("oops")),
  tooLarge: () => Effect.succeed("ж".repeat(progressLimits.maxAnswerBytes / 2)),
  huge: () => Effect.succeed("x".repeat(2_000_000)),
  hang: () => Effect.never
}

const reasonOf = <A>(effect: Effect.Effect<A, ControlError | ControlSocketError>) =>
  effect.pipe(
    Effect.flip,
    Effect.map((error) => ({ is: error._tag === "ControlError" ? error.code : error.reason, message: error.message }))
  )

/** Sends raw text, ends its side, and returns what comes until the other side ends. */
const exchange = (path: string, text: string): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const socket = connect({ path, allowHalfOpen: true })
    let got = ""
    socket.setEncoding("utf8")
    socket.on("data", (chunk) => got += chunk)
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.succeed(got)))
    socket.on("end", () => socket.destroy())
    socket.end(text)
  })

const padded = (bytes: number): string => `{"command":"echo","x":"${"y".repeat(bytes - 26)}"}`

describe("control socket", () => {
  it.live("answers commands, one line each, at mode 600, and removes the socket at the end", () =>
    Effect.gen(function*() {
      const path = yield* socketPath
      yield* Effect.scoped(Effect.gen(function*() {
        yield* serveControl(path, commands)
        assert.strictEqual(statSync(path).mode & 0o777, 0o600)
        assert.deepStrictEqual(yield* request(path, "echo", { level: "one", at: BigInt(7) }, 5000), {
          level: "one",
          at: "7"
        })
        assert.deepStrictEqual(yield* request(path, "ping", {}, 5000), { pid: process.pid })
        assert.strictEqual(String(yield* request(path, "huge", {}, 5000)).length, 2_000_000)
        assert.strictEqual(
          yield* exchange(path, "{\"command\":\"echo\",\"a\":1}\n"),
          "{\"ok\":true,\"result\":{\"a\":1}}\n"
        )
      }))
      assert.isFalse(existsSync(path))
    }))
  it.live("answers what is wrong with a request and goes on", () =>
    Effect.gen(function*() {
      const path = yield* socketPath
      yield* serveControl(path, commands)
      assert.deepStrictEqual(yield* reasonOf(request(path, "fail", {}, 5000)), { is: "not-now", message: "ask later" })
      const unknown = yield* reasonOf(request(path, "constructor", {}, 5000))
      assert.strictEqual(unknown.is, "unknown-command")
      assert.include(unknown.message, "known: defect, echo, fail, hang, huge, ping, tooLarge")
      const defect = yield* reasonOf(request(path, "defect", {}, 5000))
      assert.strictEqual(defect.is, "command-failed")
      assert.include(defect.message, "oops")
      assert.strictEqual((yield* reasonOf(request(path, "tooLarge", {}, 5000))).is, "answer-too-large")
      for (const text of ["nonsense\n", "[]\n", "{\"command\":3}\n", "null\n", "{}\n", "", "{\"command\""]) {
        assert.include(yield* exchange(path, text), "\"bad-request\"")
      }
      assert.include(yield* exchange(path, "\xff\xfe\n"), "\"bad-request\"")
      assert.deepStrictEqual(yield* request(path, "echo", {}, 5000), {})
    }))
  it.live("refuses a request that is too large, whether or not its line ends, and takes one that just fits", () =>
    Effect.gen(function*() {
      const path = yield* socketPath
      yield* serveControl(path, commands)
      const size = progressLimits.maxRequestBytes
      assert.strictEqual(padded(size).length, size - 1)
      assert.include(yield* exchange(path, `${padded(size + 1)}\n`), "\"ok\":true")
      assert.include(yield* exchange(path, `${padded(size + 2)}\n`), "request-too-large")
      assert.include(yield* exchange(path, "z".repeat(5_000_000)), "request-too-large")
    }))
  it.live("bounds its connections", () =>
    Effect.gen(function*() {
      const path = yield* socketPath
      yield* serveControl(path, commands)
      const idle = Array.from({ length: progressLimits.maxControlConnections }, () => connect({ path }))
      yield* Effect.promise(() => Promise.all(idle.map((socket) => once(socket, "connect"))))
      assert.strictEqual((yield* reasonOf(request(path, "echo", {}, 5000))).is, "busy")
      for (const socket of idle) socket.destroy()
      const free = yield* request(path, "echo", {}, 5000).pipe(Effect.retry({ times: 100 }))
      assert.deepStrictEqual(free, {})
    }))
  it.live("says which process has the socket", () =>
    Effect.gen(function*() {
      const path = yield* socketPath
      yield* serveControl(path, commands)
      const second = yield* Effect.flip(serveControl(path, commands))
      assert.strictEqual(second.reason, "in-use")
      assert.include(second.message, `process ${process.pid} already listens at ${path}`)
      assert.notInclude(second.message, "--control")
      assert.deepStrictEqual(yield* request(path, "echo", {}, 5000), {})
    }))
  it.live("replaces the socket of a process that was killed", () =>
    Effect.gen(function*() {
      const path = yield* socketPath
      const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`
      const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] })
      yield* Effect.promise(() => once(child.stdout, "data"))
      child.kill("SIGKILL")
      yield* Effect.promise(() => once(child, "exit"))
      assert.isTrue(existsSync(path))
      assert.strictEqual((yield* reasonOf(request(path, "ping", {}, 5000))).is, "refused")
      yield* serveControl(path, commands)
      assert.deepStrictEqual(yield* request(path, "ping", {}, 5000), { pid: process.pid })
    }))
  it.live("keeps a file that is no socket, a path that is too long and a folder that is missing apart", () =>
    Effect.gen(function*() {
      const path = yield* socketPath
      writeFileSync(path, "kept")
      assert.strictEqual((yield* Effect.flip(serveControl(path, commands))).reason, "not-a-socket")
      assert.isTrue(existsSync(path))
      const long = yield* Effect.flip(serveControl(`/tmp/${"é".repeat(60)}`, commands))
      assert.strictEqual(long.reason, "path-too-long")
      assert.include(long.message, "125 bytes")
      assert.strictEqual((yield* reasonOf(request(`/tmp/${"x".repeat(200)}`, "ping", {}, 10))).is, "path-too-long")
      assert.strictEqual((yield* Effect.flip(serveControl(`${path}.d/x.sock`, commands))).reason, "cannot-listen")
      assert.strictEqual((yield* reasonOf(request(`${path}.gone`, "ping", {}, 5000))).is, "not-running")
    }))
  it.live("gives up on a process that does not answer, and on one that answers nonsense", () =>
    Effect.gen(function*() {
      const path = yield* socketPath
      yield* serveControl(path, commands)
      assert.strictEqual((yield* reasonOf(request(path, "hang", {}, 50))).is, "timeout")
      const serveText = (text: string) => {
        const server = createServer((socket) => void socket.on("error", () => undefined).end(text))
        server.listen(`${path}.${text.length}`)
        return Effect.as(Effect.promise(() => once(server, "listening")), server)
      }
      for (
        const [text, reason] of [["", "connection-lost"], ["{}\n", "bad-answer"], ["nonsense\n", "bad-answer"]] as const
      ) {
        const server = yield* serveText(text)
        assert.strictEqual((yield* reasonOf(request(`${path}.${text.length}`, "ping", {}, 5000))).is, reason)
        server.close()
      }
    }))
  it.live("ends commands that still run when its scope closes", () =>
    Effect.gen(function*() {
      const path = yield* socketPath
      const started = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<void>()
      const hang = () =>
        Deferred.succeed(started, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.ensuring(Deferred.succeed(ended, undefined))
        )
      const client = yield* Effect.scoped(Effect.gen(function*() {
        yield* serveControl(path, { hang })
        const fiber = yield* Effect.forkDetach(reasonOf(request(path, "hang", {}, 60_000)))
        yield* Deferred.await(started)
        return fiber
      }))
      yield* Deferred.await(ended)
      assert.strictEqual((yield* Fiber.join(client)).is, "connection-lost")
    }))
})
