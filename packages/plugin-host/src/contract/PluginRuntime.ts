/** What the host gives to each plugin while it runs: where to tell its status, what it waits for, and what to do when draining. */
import type { Wait } from "@peerstrap/progress"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { LiveSetting } from "./LiveSetting.ts"
import type { ReportedStatus } from "./Status.ts"

/** Service: what the host gives to each plugin while it runs. */
export class PluginRuntime extends Context.Service<PluginRuntime, {
  readonly id: string
  /** Tells the host how the plugin is; `starting`, `stopping` and `stopped` are the host's own, and ignored. */
  report(status: ReportedStatus, message?: string): void
  /** Tells something that happened, under a stable name, for logs; `text` is for people, without it the event is for machines only. */
  event(name: string, fields: Readonly<Record<string, unknown>>, text?: string): void
  /** How far a longer piece of work is: `scanning the store`, 3, 9 (bytes, files, blocks; 0: total not known). */
  progress(activity: string, done: number, total: number): void
  /** Asked for by `why`; plain and quick. */
  onWhy(waits: () => ReadonlyArray<Wait>): void
  /** Declares a value that may change while the plugin runs. */
  live<A>(setting: string, live: LiveSetting<A>): void
  /** Runs once when the composition drains, before anything stops, after what uses this plugin has drained. Bounded by the host's drain time. */
  onDrain(drain: Effect.Effect<void>): void
}>()("@peerstrap/plugin-host/PluginRuntime") {}
