/** Listens on a Unix domain socket for commands to the running process. Protocol: see contract/Control.ts. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { chmodSync, lstatSync, unlinkSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { type ControlCommands, ControlError, ControlSocketError } from "../contract/Control.ts"
import { progressLimits } from "../contract/Limits.ts"
import { request } from "./ControlClient.ts"
import { jsonLine } from "./JsonLines.ts"
import { type HeldPath, takePath } from "./PathLock.ts"
import { checkPath, codeOf, type LineEnd, readLine } from "./SocketLine.ts"

const failure = (code: string, message: string): ControlError => new ControlError({ code, message })

const parse = (
  line: string
): Effect.Effect<{ readonly command: string; readonly args: Record<string, unknown> }, ControlError> =>
  Effect.suspend(() => {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return Effect.fail(failure("bad-request", "the request is not JSON: send one object on one line"))
    }
    if (typeof value !== "object" || value === null || Array.isArray(value) || !("command" in value)) {
      return Effect.fail(
        failure("bad-request", "the request must be an object with a command, e.g. {\"command\":\"status\"}")
      )
    }
    const { command, ...args } = value
    return typeof command === "string"
      ? Effect.succeed({ command, args })
      : Effect.fail(failure("bad-request", "command must be a string"))
  })

const runCommand = <R>(commands: ControlCommands<R>, line: string): Effect.Effect<unknown, ControlError, R> =>
  Effect.flatMap(parse(line), ({ args, command }) => {
    if (Object.hasOwn(commands, command)) return commands[command]?.(args) ?? Effect.void
    if (command === "ping") return Effect.succeed({ pid: process.pid })
    const known = [...Object.keys(commands), "ping"].toSorted().join(", ")
    return Effect.fail(failure("unknown-command", `unknown command ${JSON.stringify(command)}; known: ${known}`))
  })

const lineError = (end: LineEnd): ControlError =>
  end === "too-large"
    ? failure("request-too-large", `a request has at most ${progressLimits.maxRequestBytes} bytes`)
    : failure("bad-request", "the connection ended before the end of the line")

const failed = (error: ControlError): string =>
  jsonLine({ ok: false, error: { code: error.code, message: error.message } })

const succeeded = (result: unknown): string => {
  const line = jsonLine({ ok: true, result: result ?? null })
  return Buffer.byteLength(line) <= progressLimits.maxAnswerBytes
    ? line
    : failed(
      failure("answer-too-large", `the answer is longer than ${progressLimits.maxAnswerBytes} bytes: ask for less`)
    )
}

/** Serves one connection: one request, one answer. A defect of a command becomes an answer, it never ends the server. */
const serve = <R>(socket: Socket, commands: ControlCommands<R>): Effect.Effect<void, never, R> =>
  readLine(socket, progressLimits.maxRequestBytes).pipe(
    Effect.mapError(lineError),
    Effect.timeoutOrElse({
      duration: progressLimits.requestTimeoutMillis,
      orElse: () => Effect.fail(failure("timeout", `no request within ${progressLimits.requestTimeoutMillis / 1000} s`))
    }),
    Effect.flatMap((line) => runCommand(commands, line)),
    Effect.map(succeeded),
    Effect.catchTag("ControlError", (error) => Effect.succeed(failed(error))),
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterrupts(cause),
      (cause) => Effect.succeed(failed(failure("command-failed", `a defect: ${Cause.pretty(cause)}`)))
    ),
    Effect.flatMap((answer) => sendLast(socket, answer)),
    Effect.raceFirst(closed(socket)),
    Effect.ensuring(Effect.sync(() => socket.destroy()))
  )

const closed = (socket: Socket): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const onClose = (): void => resume(Effect.void)
    socket.once("close", onClose)
    return Effect.sync(() => void socket.off("close", onClose))
  })

/** Sends the answer and waits until the client has left: closing before that, with bytes unread, could take the answer from it. */
const sendLast = (socket: Socket, answer: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    socket.resume()
    socket.end(`${answer}\n`)
    return Effect.asVoid(Effect.timeoutOption(closed(socket), progressLimits.requestTimeoutMillis))
  })

const cannotListen = (path: string, error: unknown): ControlSocketError =>
  new ControlSocketError({
    reason: "cannot-listen",
    path,
    message: `cannot listen at ${path}: ${error instanceof Error ? error.message : String(error)}`
  })

const inUse = (path: string, who: string): ControlSocketError =>
  new ControlSocketError({
    reason: "in-use",
    path,
    // Another path would let a second run at what the first one works on.
    message: `${who} already listens at ${path}: wait for its end, or stop it`
  })

const notASocket = (path: string): ControlSocketError =>
  new ControlSocketError({
    reason: "not-a-socket",
    path,
    message: `${path} exists and is not a socket: remove it or choose another path with --control`
  })

/** Who answers behind the socket, or undefined when it is the rest of a dead process. */
const whoListens = (path: string): Effect.Effect<string | undefined, ControlSocketError> =>
  request(path, "ping", {}, 2000).pipe(
    Effect.map((result) =>
      typeof result === "object" && result !== null && "pid" in result ? `process ${result.pid}` : "a process"
    ),
    Effect.catchTags({
      ControlError: () => Effect.succeed("a process"),
      ControlSocketError: (error) => {
        if (error.reason === "refused" || error.reason === "not-running") return Effect.undefined
        return error.reason === "no-permission" ? Effect.fail(error) : Effect.succeed("a process")
      }
    })
  )

/** Whether there is a socket; fails when it is something else. */
const findSocket = (path: string): Effect.Effect<boolean, ControlSocketError> =>
  Effect.try({
    try: () => lstatSync(path, { throwIfNoEntry: false }),
    catch: (error) => cannotListen(path, error)
  }).pipe(Effect.flatMap((found) =>
    found === undefined || found.isSocket() ? Effect.succeed(found !== undefined) : Effect.fail(notASocket(path))
  ))

const take = (path: string): Effect.Effect<HeldPath | undefined, ControlSocketError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({ try: () => takePath(path), catch: (error) => cannotListen(path, error) }),
    (held) => Effect.sync(() => held?.free())
  )

/** The path for this process alone. Whoever has it is asked for its name; one that does not answer yet, or no more, is waited for a little. */
const lockPath = Effect.fnUntraced(function*(path: string) {
  for (let left = progressLimits.maxLockTries; left > 0; left--) {
    const held = yield* take(path)
    if (held !== undefined) return held
    const who = yield* whoListens(path)
    if (who !== undefined) return yield* inUse(path, who)
  }
  return yield* inUse(path, `a process that holds ${path}.lock`)
})

/** Removes the socket that a dead process left; fails when somebody lives behind it who knows of no lock, or it is something else. */
const clearPath = Effect.fnUntraced(function*(path: string) {
  if (!(yield* findSocket(path))) return
  const who = yield* whoListens(path)
  if (who !== undefined) return yield* inUse(path, who)
  yield* Effect.try({ try: () => unlinkIfThere(path), catch: (error) => cannotListen(path, error) })
})

const unlinkIfThere = (path: string): void => {
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error
  }
}

const listen = (path: string, onSocket: (socket: Socket) => void): Effect.Effect<Server, ControlSocketError> =>
  Effect.callback<Server, ControlSocketError>((resume) => {
    // Half open: `echo '{"command":"why"}' | nc -U control.sock` ends its side before the answer.
    const server = createServer({ allowHalfOpen: true }, onSocket)
    const cannot = (error: unknown): void => {
      server.close()
      resume(Effect.fail(cannotListen(path, error)))
    }
    server.once("error", cannot)
    server.once("listening", () => {
      server.off("error", cannot)
      // An accept that fails (no descriptors) must not end the process.
      server.on("error", () => undefined)
      resume(Effect.succeed(server))
    })
    server.listen(path)
    // The socket's file is there when listen returns and nothing is accepted before this turn of the event loop ends.
    try {
      chmodSync(path, 0o600)
    } catch (error) {
      if (codeOf(error) !== "ENOENT") cannot(error)
    }
  })

/**
 * Answers commands at `path` (mode 600) until the scope closes, then removes the socket. At most 16 connections, 64 KiB a request. Replaces
 * the socket of a dead process; fails with `in-use` and its pid when a live one has it. Of any number that start at once one listens: it
 * locks `PATH.lock`, an empty file that stays.
 */
export const serveControl = Effect.fnUntraced(function*<R>(path: string, commands: ControlCommands<R>) {
  yield* checkPath(path)
  // Before a file is made beside something that is not ours.
  yield* findSocket(path)
  // The first to be acquired is the last to be given back: the socket has gone then.
  const held = yield* lockPath(path)
  const fibers = yield* FiberSet.make<void>()
  const run = yield* FiberSet.runtime(fibers)<R>()
  let open = 0
  const listening = Effect.acquireRelease(
    listen(path, (socket) => {
      socket.on("error", () => socket.destroy())
      const isBusy = open >= progressLimits.maxControlConnections
      if (open >= 2 * progressLimits.maxControlConnections) return void socket.destroy()
      open++
      socket.once("close", () => open--)
      if (!isBusy) return void run(serve(socket, commands))
      const answer = failed(failure("busy", `${progressLimits.maxControlConnections} connections are open, try again`))
      run(Effect.ensuring(sendLast(socket, answer), Effect.sync(() => socket.destroy())))
    }),
    (server) =>
      Effect.callback<void>((resume) => {
        // Connections end with the set of fibers, which closes after this: only the door is shut here. Node removes the file.
        server.close()
        resume(Effect.void)
      })
  )
  yield* clearPath(path).pipe(Effect.andThen(listening), Effect.onError(() => Effect.sync(held.free)))
}) as <R>(path: string, commands: ControlCommands<R>) => Effect.Effect<void, ControlSocketError, R | Scope.Scope>
