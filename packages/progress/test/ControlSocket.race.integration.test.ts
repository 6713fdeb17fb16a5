/** Of any number that start at one path at once one listens, whatever lies there; and it is the one that clients reach. */
import { assert, describe, it } from "@effect/vitest"
import { type ControlCommands, request, serveControl } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("support/serveAt.ts", import.meta.url))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "peerstrap-race-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const commands: ControlCommands = {}

/** A process that serves where it is told. */
const starter = Effect.acquireRelease(
  Effect.promise(async () => {
    const child = spawn(process.execPath, ["--conditions=@peerstrap/source", program], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<string> => String((await lines.next()).value)
    await next()
    const tell = (line: string): Promise<string> => {
      child.stdin.write(`${line}\n`)
      return next()
    }
    return { child, pid: child.pid!, tell }
  }),
  ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
)

/** Leaves what a killed process leaves. */
const leaveSocket = (path: string) =>
  Effect.promise(async () => {
    const script = `require("node:net").createServer().listen(${
      JSON.stringify(path)
    }, () => process.kill(process.pid, 9))`
    await once(spawn(process.execPath, ["-e", script]), "close")
    assert.isTrue(existsSync(path))
  })

describe("starters at one path", () => {
  it.live(
    "one of five processes listens, over a dead socket and over none, also after the one before was killed",
    () =>
      Effect.gen(function*() {
        const place = yield* folder
        const starters = yield* Effect.all(Array.from({ length: 5 }, () => starter), { concurrency: "unbounded" })
        for (let round = 0; round < 8; round++) {
          const path = join(place, `${round}.sock`)
          if (round % 2 === 0) yield* leaveSocket(path)
          const said = yield* Effect.promise(() => Promise.all(starters.map(({ tell }) => tell(path))))
          const listening = starters.filter((_, index) => said[index] === "listens")
          assert.strictEqual(listening.length, 1, `round ${round}: ${said.join("; ")}`)
          for (const words of said) if (words !== "listens") assert.match(words, /^in-use /)
          assert.strictEqual(yield* request(path, "who", {}, 5000), listening[0]!.pid)
          yield* Effect.promise(() => Promise.all(starters.map(({ tell }) => tell(""))))
          assert.isFalse(existsSync(path))
        }
        const path = join(place, "killed.sock")
        const [first, ...others] = starters
        assert.strictEqual(yield* Effect.promise(() => first!.tell(path)), "listens")
        const ended = once(first!.child, "close")
        first!.child.kill("SIGKILL")
        yield* Effect.promise(() => ended)
        const said = yield* Effect.promise(() => Promise.all(others.map(({ tell }) => tell(path))))
        assert.strictEqual(said.filter((words) => words === "listens").length, 1, said.join("; "))
      }),
    60_000
  )

  it.live("one of five within a process listens, and when it has ended the next", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "control.sock")
      for (let round = 0; round < 3; round++) {
        yield* leaveSocket(path)
        const exits = yield* Effect.scoped(Effect.all(
          Array.from({ length: 5 }, () => Effect.exit(serveControl(path, commands))),
          { concurrency: "unbounded" }
        ))
        assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
        assert.deepStrictEqual(readdirSync(join(path, "..")), ["control.sock.lock"])
      }
    }), 60_000)

  it.live(
    "a path is held also when its socket was removed, and is free after a start that failed",
    () =>
      Effect.gen(function*() {
        const path = join(yield* folder, "control.sock")
        yield* Effect.scoped(Effect.gen(function*() {
          yield* serveControl(path, commands)
          rmSync(path)
          const refused = yield* Effect.flip(serveControl(path, commands))
          assert.strictEqual(refused.reason, "in-use")
          assert.include(refused.message, `a process that holds ${path}.lock already listens at ${path}`)
        }))
        // A server that knows of no lock.
        const server = createServer((socket) => void socket.on("error", () => undefined).resume().end("{}\n"))
        yield* Effect.promise(() => once(server.listen(path), "listening"))
        assert.strictEqual((yield* Effect.flip(serveControl(path, commands))).reason, "in-use")
        yield* Effect.promise(() => once(server.close(), "close"))
        yield* serveControl(path, commands)
      }),
    60_000
  )

  it.live("nothing is made beside a file that is no socket, and what stands in the way of the lock is told", () =>
    Effect.gen(function*() {
      const place = yield* folder
      const path = join(place, "kept")
      writeFileSync(path, "kept")
      assert.strictEqual((yield* Effect.flip(serveControl(path, commands))).reason, "not-a-socket")
      assert.deepStrictEqual(readdirSync(place), ["kept"])
      writeFileSync(join(place, "control.sock.lock"), "no database, and more bytes than a few".repeat(100))
      const refused = yield* Effect.flip(serveControl(join(place, "control.sock"), commands))
      assert.strictEqual(refused.reason, "cannot-listen")
      assert.include(refused.message, "not a database")
      const missing = yield* Effect.flip(serveControl(join(place, "none", "control.sock"), commands))
      assert.include(missing.message, "ENOENT")
    }))
})
