/** Live settings of a running composition over its control socket, and the command that asks for them. */
import {
  askRunning,
  type Command,
  command,
  type CommandError,
  type CommandResult,
  ExitCode,
  type Flags,
  type Problem
} from "@peerstrap/command-line"
import { type ControlCommands, ControlError, type ControlSocketError } from "@peerstrap/progress"
import * as Effect from "effect/Effect"
import type { SettingChange } from "../contract/LiveSetting.ts"
import type { RunningHost } from "./Host.ts"
import type { SettingRow } from "./LiveSettings.ts"

const textOf = (value: unknown): string => typeof value === "string" ? value : ""

/** What a running process answers to `settings` and `set`. Undefined: the composition has not started yet. */
export const settingsControl = (
  host: () => Pick<RunningHost<never>, "settings"> | undefined
): ControlCommands => {
  const running = Effect.suspend(() => {
    const started = host()
    return started === undefined
      ? Effect.fail(new ControlError({ code: "not-yet", message: "the run has not begun yet: try again in a moment" }))
      : Effect.succeed(started.settings)
  })
  return {
    settings: () => Effect.map(running, ({ audit, rows }) => ({ settings: rows, changes: audit })),
    set: ({ plugin, setting, value }) =>
      Effect.flatMap(
        running,
        (settings) =>
          settings.change({ plugin: textOf(plugin), setting: textOf(setting), value, origin: "control socket" }).pipe(
            Effect.mapError(({ message, reason }) => new ControlError({ code: reason, message }))
          )
      )
  }
}

/** Codes of refusals that mean wrong usage. */
export const settingsUsageCodes = ["unknown-plugin", "unknown-setting", "bad-value"] as const

/** How the `set` command finds the running process. */
export interface SetCommandOptions<F extends Flags> {
  /** How the running process is found. */
  readonly flags: F
  /** The path of its control socket, from those flags. */
  readonly plan: NonNullable<Command<F, string>["check"]>
  readonly timeoutMillis: (settings: Parameters<Command<F, string>["run"]>[0]["settings"]) => number
  readonly toError: (error: ControlError | ControlSocketError) => CommandError
  /** An example's flags, e.g. `--out /var/lib/m3db`. */
  readonly place: string
}

const changed = (answer: Readonly<Record<string, unknown>>): CommandResult => {
  const { from, plugin, setting, to } = answer as unknown as SettingChange
  return { exitCode: ExitCode.done, text: `${plugin} ${setting} ${to} (was ${from})\n`, json: answer }
}

const listed = (answer: Readonly<Record<string, unknown>>): CommandResult => {
  const rows = answer["settings"] as ReadonlyArray<SettingRow>
  const lines = rows.map(({ current, plugin, setting, summary }) => `${plugin} ${setting} ${current}  ${summary}\n`)
  return {
    exitCode: ExitCode.done,
    text: lines.length === 0 ? "nothing can change while this runs\n" : lines.join(""),
    json: answer
  }
}

/** The command `set`: lists what can change while a run goes on, or changes one of it. */
export const setCommand = <const F extends Flags>(
  { flags, place, plan, timeoutMillis, toError }: SetCommandOptions<F>
): Command =>
  command<F, string>({
    name: "set",
    summary: "Show what can change while a run goes on, or change it",
    details: [
      "Without operands: every setting of the run's parts with its value now. With three: changes one at once; what was changed, from what to what, is kept in the run's events."
    ],
    operands: {
      name: "PLUGIN SETTING VALUE",
      least: 0,
      most: 3,
      help: "a part, its setting and the new value; none of them lists all"
    },
    flags,
    examples: [
      { args: `set ${place}`, says: "What can change" },
      { args: `set log.settable level debug ${place}`, says: "Hear more of it" }
    ],
    check: (settings, operands, context, problem: (problem: Problem) => void) => {
      if (operands.length === 1 || operands.length === 2) {
        problem({ where: "PLUGIN SETTING VALUE", message: "want all three, or none to list what there is" })
      }
      return plan(settings, operands, context, problem)
    },
    run: ({ operands, plan: path, settings }) => {
      const [plugin, setting, value] = operands
      const asked = plugin === undefined
        ? Effect.map(askRunning(path, "settings", {}, timeoutMillis(settings)), listed)
        : Effect.map(askRunning(path, "set", { plugin, setting, value }, timeoutMillis(settings)), changed)
      return Effect.mapError(asked, toError)
    }
  })
