/** The settings of all plugins of a running composition: finds one, checks a new value, applies it, keeps the audit. */
import { didYouMean, shown } from "@peerstrap/command-line"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import { hostLimits } from "../contract/Limits.ts"
import { type LiveSetting, type SettingChange, SettingError } from "../contract/LiveSetting.ts"

/** Which setting shall have which value, and who wants it. */
export interface ChangeRequest {
  readonly plugin: string
  readonly setting: string
  readonly value: unknown
  readonly origin: string
}

/** One setting as it stands. */
export interface SettingRow {
  readonly plugin: string
  readonly setting: string
  readonly summary: string
  readonly current: unknown
}

const format = SchemaIssue.makeFormatterDefault()

const refuse = (reason: SettingError["reason"], message: string) => Effect.fail(new SettingError({ reason, message }))

/** The settings of a running composition. */
export class LiveSettings {
  private readonly byPlugin = new Map<string, Map<string, LiveSetting<unknown>>>()
  private readonly done: Array<SettingChange> = []
  private readonly now: () => number
  private readonly onChange: (change: SettingChange) => void

  constructor(now: () => number, onChange: (change: SettingChange) => void) {
    this.now = now
    this.onChange = onChange
  }

  declare<A>(plugin: string, setting: string, live: LiveSetting<A>): void {
    const settings = this.byPlugin.get(plugin) ?? new Map<string, LiveSetting<unknown>>()
    settings.set(setting, live as unknown as LiveSetting<unknown>)
    this.byPlugin.set(plugin, settings)
  }

  get rows(): ReadonlyArray<SettingRow> {
    return [...this.byPlugin].flatMap(([plugin, settings]) =>
      [...settings].map(([setting, { current, summary }]) => ({ plugin, setting, summary, current: current() }))
    )
  }

  /** The latest changes, oldest first. */
  get audit(): ReadonlyArray<SettingChange> {
    return this.done
  }

  change({ origin, plugin, setting, value }: ChangeRequest): Effect.Effect<SettingChange, SettingError> {
    return Effect.suspend(() => {
      const settings = this.byPlugin.get(plugin)
      if (settings === undefined) {
        const near = didYouMean(plugin, [...this.byPlugin.keys()])
        return refuse("unknown-plugin", `${shown(plugin)} has nothing that can change while it runs${near}`)
      }
      const live = settings.get(setting)
      if (live === undefined) {
        const names = [...settings.keys()]
        const message = `${plugin} has no setting ${shown(setting)}${didYouMean(setting, names)}; there are ${
          names.join(", ")
        }`
        return refuse("unknown-setting", message)
      }
      const decoded = SchemaParser.decodeUnknownExit(live.schema, { reportInput: true })(value)
      if (Exit.isFailure(decoded)) {
        const issue = Cause.findErrorOption(decoded.cause)
        const why = issue._tag === "Some" ? format(issue.value) : Cause.pretty(decoded.cause)
        return refuse("bad-value", `${setting} of ${plugin}: ${why}`)
      }
      const from = live.current()
      return Effect.map(
        live.apply(decoded.value, origin),
        () => this.note({ plugin, setting, from, to: decoded.value, origin })
      )
    })
  }

  private note(change: Omit<SettingChange, "atMillis">): SettingChange {
    const noted = { ...change, atMillis: this.now() }
    this.done.push(noted)
    if (this.done.length > hostLimits.auditEntries) this.done.shift()
    this.onChange(noted)
    return noted
  }
}
