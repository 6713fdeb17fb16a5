/** Asks a running process something over its control socket. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { connect, type Socket } from "node:net"
import { ControlError, ControlSocketError } from "../contract/Control.ts"
import { progressLimits } from "../contract/Limits.ts"
import { jsonLine } from "./JsonLines.ts"
import { checkPath, codeOf, readLine } from "./SocketLine.ts"

const dialError = (path: string, error: unknown): ControlSocketError => {
  switch (codeOf(error)) {
    case "ENOENT":
      return new ControlSocketError({
        reason: "not-running",
        path,
        message: `no control socket at ${path}: the process is not running`
      })
    case "ECONNREFUSED":
      return new ControlSocketError({
        reason: "refused",
        path,
        message: `nobody listens at ${path}: the process ended without removing its socket, the next start replaces it`
      })
    case "EACCES":
    case "EPERM":
      return new ControlSocketError({
        reason: "no-permission",
        path,
        message: `no permission for ${path}: run this as the user who started the process`
      })
    default:
      return new ControlSocketError({ reason: "connection-lost", path, message: `${path}: ${String(error)}` })
  }
}

/** A socket that is on its way. The listener stays for good: an error event without one would end the process. */
const dial = (path: string): Effect.Effect<Socket> => Effect.sync(() => connect({ path }).on("error", () => undefined))

const connected = (path: string, socket: Socket): Effect.Effect<void, ControlSocketError> =>
  Effect.callback<void, ControlSocketError>((resume) => {
    socket.once("connect", () => resume(Effect.void))
    socket.once("error", (error) => resume(Effect.fail(dialError(path, error))))
  })

const badAnswer = (path: string, message: string): ControlSocketError =>
  new ControlSocketError({ reason: "bad-answer", path, message: `${path}: ${message}` })

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const failing = (error: ControlError | ControlSocketError): Effect.Effect<unknown, ControlError | ControlSocketError> =>
  Effect.fail(error)

const readAnswer = (path: string, line: string): Effect.Effect<unknown, ControlError | ControlSocketError> =>
  Effect.suspend(() => {
    let answer: unknown
    try {
      answer = JSON.parse(line)
    } catch {
      return failing(badAnswer(path, "the answer is not JSON"))
    }
    if (isRecord(answer) && answer["ok"] === true) return Effect.succeed(answer["result"])
    const error = isRecord(answer) ? answer["error"] : undefined
    if (!isRecord(error) || typeof error["code"] !== "string" || typeof error["message"] !== "string") {
      return failing(badAnswer(path, "the answer is neither a result nor an error"))
    }
    return failing(new ControlError({ code: error["code"], message: error["message"] }))
  })

const ask = (path: string, socket: Socket, line: string): Effect.Effect<string, ControlSocketError> =>
  Effect.suspend(() => {
    socket.write(`${line}\n`)
    return readLine(socket, progressLimits.maxAnswerBytes)
  }).pipe(Effect.mapError((end) =>
    end === "too-large"
      ? badAnswer(path, `the answer is longer than ${progressLimits.maxAnswerBytes} bytes`)
      : new ControlSocketError({
        reason: "connection-lost",
        path,
        message: `${path}: the connection ended before the answer${end === "ended" ? "" : `: ${end.error.message}`}`
      })
  ))

/**
 * Sends one command with its arguments to the process behind `path` and returns its result. Fails with ControlSocketError when there is
 * no conversation (no such process, nobody listening, timeout), with ControlError when the process refused or the command failed.
 */
export const request = (
  path: string,
  command: string,
  args: Readonly<Record<string, unknown>>,
  timeout: Duration.Input
): Effect.Effect<unknown, ControlError | ControlSocketError> =>
  checkPath(path).pipe(
    Effect.andThen(Effect.acquireUseRelease(
      dial(path),
      (socket) =>
        connected(path, socket).pipe(
          Effect.andThen(ask(path, socket, jsonLine({ ...args, command }))),
          Effect.flatMap((line) => readAnswer(path, line))
        ),
      (socket) => Effect.sync(() => socket.destroy())
    )),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.fail(
          new ControlSocketError({
            reason: "timeout",
            path,
            message: `${path}: no answer in time; the process may be busy or stopped`
          })
        )
    })
  )
