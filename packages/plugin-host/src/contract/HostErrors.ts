/** How a composition that was valid ends otherwise than by itself. */
import * as Schema from "effect/Schema"

/**
 * A plugin did not come up, or reported `fatal` before all had (`cause` is a `PluginFatalError` then). What had started was stopped
 * again.
 */
export class PluginStartError extends Schema.TaggedError<PluginStartError>()("PluginStartError", {
  plugin: Schema.String,
  message: Schema.String,
  cause: Schema.Defect()
}) {}

/** A plugin reported `fatal`. */
export class PluginFatalError extends Schema.TaggedError<PluginFatalError>()("PluginFatalError", {
  plugin: Schema.String,
  message: Schema.String
}) {}
