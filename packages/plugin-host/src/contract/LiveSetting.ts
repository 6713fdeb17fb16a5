/** Values of a plugin that may change while it runs: a level, a limit, a log level. Layers are never swapped, values are. */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What a plugin declares, by name, when it starts. */
export interface LiveSetting<A> {
  readonly summary: string
  /** Of the value as a person or a file gives it. */
  readonly schema: Schema.Codec<A, unknown>
  readonly current: () => A
  /** Takes effect when it returns. */
  readonly apply: (value: A, origin: string) => Effect.Effect<void>
}

/** One change that was made, for the audit. */
export interface SettingChange {
  readonly plugin: string
  readonly setting: string
  readonly from: unknown
  readonly to: unknown
  /** What asked for it, e.g. `control socket`; who is behind a socket is not known. */
  readonly origin: string
  readonly atMillis: number
}

/** A setting was not changed. */
export class SettingError extends Schema.TaggedError<SettingError>()("SettingError", {
  reason: Schema.Literals(["unknown-plugin", "unknown-setting", "bad-value", "stopping"]),
  message: Schema.String
}) {}
