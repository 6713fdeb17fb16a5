/** What a program asks of the host: bounds, and who hears of what happens. */
import type { SettingChange } from "../contract/LiveSetting.ts"
import type { PluginStatus } from "../contract/Status.ts"
import type { ResolveOptions } from "../engine/Resolve.ts"

/** Something that happened to a plugin, by a stable name. */
export interface PluginEvent {
  /** Name of the part. */
  readonly plugin: string
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly text: string | undefined
}

/** How far a plugin is with something. */
export interface PluginProgress {
  readonly plugin: string
  readonly activity: string
  readonly done: number
  /** 0 when it is not known. */
  readonly total: number
}

/**
 * Bounds of starting, draining and stopping, ms, and who hears of what happens. A listener that throws is a defect of the program: it
 * ends the composition, in order, and then the program.
 */
export interface HostOptions extends ResolveOptions {
  /** Of each plugin. Default `hostLimits.startMillis`. */
  readonly startMillis?: number
  /** Of each plugin, from when those that use it have drained. Default `hostLimits.drainMillis`. */
  readonly drainMillis?: number
  /** Of each plugin. Default `hostLimits.stopMillis`. */
  readonly stopMillis?: number
  /** Every change of a plugin's status. */
  readonly onStatus?: (status: PluginStatus) => void
  /** What plugins tell through `PluginRuntime.event`. */
  readonly onEvent?: (event: PluginEvent) => void
  /** What plugins tell through `PluginRuntime.progress`. */
  readonly onProgress?: (progress: PluginProgress) => void
  /** Every change of a live setting. */
  readonly onChange?: (change: SettingChange) => void
}
