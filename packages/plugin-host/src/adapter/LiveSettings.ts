/** The settings of all plugins of a running composition: finds one, checks a new value, applies it, keeps the audit. */
import { didYouMean, shown } from "@peerstrap/command-line"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as Semaphore from "effect/Semaphore"
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

const refuseLate = Effect.suspend(() =>
  refuse("stopping", "the composition stops: its settings do not change any more")
)

/** The settings of a running composition. */
export class LiveSettings {
  private readonly byPlugin = new Map<string, Map<string, LiveSetting<unknown>>>()
  /** Changes of one part take turns: each one is a change from what the one before it has left. */
  private readonly turns = new Map<string, Semaphore.Semaphore>()
  /** Parts of which a change is under way. */
  private readonly begun = new Set<string>()
  private isClosed = false
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

  /** From now on every change is refused: parts begin to end, and what is set in one that has closed takes effect on nothing. */
  close(): void {
    this.isClosed = true
  }

  /** Ends when no change of a part is under way; undefined when none is. */
  changing(plugin: string): Effect.Effect<void> | undefined {
    return this.begun.has(plugin) ? this.turns.get(plugin)?.withPermit(Effect.void) : undefined
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
      if (this.isClosed) return refuseLate
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
      return this.inTurn(
        plugin,
        Effect.suspend(() => {
          const from = live.current()
          return Effect.map(
            live.apply(decoded.value, origin),
            () => this.note({ plugin, setting, from, to: decoded.value, origin })
          )
        })
      )
    })
  }

  /** Who asks may leave while it waits for its turn; a change that has begun is ended and noted all the same. */
  private inTurn(
    plugin: string,
    change: Effect.Effect<SettingChange, SettingError>
  ): Effect.Effect<SettingChange, SettingError> {
    const turn = this.turns.get(plugin) ?? Semaphore.makeUnsafe(1)
    this.turns.set(plugin, turn)
    const begin = Effect.suspend(() => {
      if (this.isClosed) return refuseLate
      this.begun.add(plugin)
      return change
    })
    const end = Effect.suspend(() => {
      this.begun.delete(plugin)
      return turn.release(1)
    })
    return Effect.uninterruptibleMask((restore) =>
      restore(turn.take(1)).pipe(
        Effect.andThen(Effect.forkDetach(Effect.ensuring(begin, end), { startImmediately: true })),
        Effect.flatMap((changing) => restore(Fiber.join(changing)))
      )
    )
  }

  private note(change: Omit<SettingChange, "atMillis">): SettingChange {
    const noted = { ...change, atMillis: this.now() }
    this.done.push(noted)
    if (this.done.length > hostLimits.auditEntries) this.done.shift()
    this.onChange(noted)
    return noted
  }
}
