/** `status`: how far a running bootstrap is; without one, how the last one ended. */
import { askRunning, command, CommandError, type CommandResult, ExitCode, isAbsent } from "@peerstrap/command-line"
import type { PluginStatus } from "@peerstrap/plugin-host"
import { type ProgressSnapshot, renderView } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { dirname } from "node:path"
import { reportFileName } from "../bootstrap/ReportText.ts"
import { readStoredReport } from "../bootstrap/StoredReport.ts"
import { controlFlags, planControl, toCommandError } from "./ControlFlags.ts"

const columns = 120
const allRows = 10_000

/** Plugins that are not well. */
const pluginLines = (plugins: ReadonlyArray<PluginStatus> = []): ReadonlyArray<string> =>
  plugins.filter(({ status }) => status !== "ok").map(({ id, message, status }) =>
    `plugin ${id} is ${status}${message === "" ? "" : `: ${message}`}`
  )

const running = (answer: Readonly<Record<string, unknown>>): CommandResult => ({
  exitCode: ExitCode.done,
  text: [
    `process ${answer["pid"]}: bootstrap of ${answer["namespace"]} into ${answer["out"]}`,
    answer["level"] === null ? "level not known yet" : `level ${answer["level"]}, set by ${answer["levelOrigin"]}`,
    ...pluginLines(answer["plugins"] as ReadonlyArray<PluginStatus> | undefined),
    ...renderView(answer as unknown as ProgressSnapshot, { columns, rows: allRows, color: false }),
    ""
  ].join("\n"),
  json: { running: true, status: answer }
})

const stored = Effect.fnUntraced(function*(directory: string, absent: CommandError) {
  const report = yield* readStoredReport(directory)
  const path = `${directory}/${reportFileName}`
  if (report === undefined) {
    return yield* new CommandError({
      ...absent,
      message: `${absent.message}; there is no ${path} of an earlier run either`
    })
  }
  const result: CommandResult = {
    exitCode: ExitCode.done,
    text: `not running; the last run ended with exit code ${report.exitCode}: ${report.verdict}\n  report: ${path}\n`,
    json: { running: false, last: report }
  }
  return result
})

export const status = command({
  name: "status",
  summary: "Show how far a running bootstrap is, or how the last one ended",
  details: [`Without a running process it reads DIR/${reportFileName}. Exit code 1 when there is neither.`],
  flags: controlFlags,
  examples: [
    { args: "status --out /var/lib/m3db", says: "The run that writes there" },
    { args: "status --out /var/lib/m3db --json", says: "The same for a program" }
  ],
  check: planControl,
  run: ({ plan, settings }) =>
    askRunning(plan, "status", {}, settings.timeout).pipe(
      Effect.map(running),
      Effect.catch((error) =>
        isAbsent(error)
          ? stored(settings.out ?? dirname(plan), toCommandError(error))
          : Effect.fail(toCommandError(error))
      ),
      Effect.provide(NodeFileSystem.layer)
    )
})
