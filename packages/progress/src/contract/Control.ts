/**
 * The control socket's protocol: a client connects, sends one line of JSON, gets one line of JSON, and the server closes.
 *
 *   → {"command":"set-level","level":"one"}\n
 *   ← {"ok":true,"result":…}\n   or   {"ok":false,"error":{"code":"…","message":"…"}}\n
 *
 * Codes: `bad-request`, `request-too-large`, `unknown-command`, `busy`, `timeout`, `command-failed`, `answer-too-large`.
 * `ping` is always there: `{"pid":…}`.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A command that failed, or a request that the server did not take. `message` says what to do. */
export class ControlError extends Schema.TaggedError<ControlError>()("ControlError", {
  code: Schema.String,
  message: Schema.String
}) {}

/** Why there is no conversation. The first four are the server's, the others the client's, `path-too-long` is of both. */
export class ControlSocketError extends Schema.TaggedError<ControlSocketError>()("ControlSocketError", {
  reason: Schema.Literals([
    "path-too-long",
    "in-use",
    "not-a-socket",
    "cannot-listen",
    "not-running",
    "refused",
    "no-permission",
    "timeout",
    "bad-answer",
    "connection-lost"
  ]),
  path: Schema.String,
  message: Schema.String
}) {}

/** What a command gets is the request without its `command` key. The result must be JSON; a bigint becomes a decimal string. */
export type ControlCommand<R = never> = (
  args: Readonly<Record<string, unknown>>
) => Effect.Effect<unknown, ControlError, R>

/** The commands of a control socket by name. */
export type ControlCommands<R = never> = Readonly<Record<string, ControlCommand<R>>>
