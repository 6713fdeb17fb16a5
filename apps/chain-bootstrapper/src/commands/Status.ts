/** `status`: how far a running sync is; without one, how the last one ended. */
import { askRunning, command, CommandError, type CommandResult, ExitCode, isAbsent } from "@peerstrap/command-line"
import { formatCount, type ProgressSnapshot, renderView } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { dirname } from "node:path"
import { readReport, reportFileName } from "../store/StoredReport.ts"
import { type ChainStatus, chainStatusLines } from "../sync/ChainStatus.ts"
import type { ServedStatus } from "../sync/ControlCommands.ts"
import { partLines, type TroubledPart } from "../sync/PartStates.ts"
import { controlFlags, planControl, toCommandError } from "./ControlFlags.ts"

const columns = 120
const allRows = 10_000

const servedLine = ({ base, connections, head }: ServedStatus): string =>
  `serves levels ${formatCount(base.level)} to ${formatCount(head.level)} (${head.hash}), ${
    formatCount(connections)
  } connections`

const running = (answer: Readonly<Record<string, unknown>>): CommandResult => {
  const chain = answer["chain"] as ChainStatus | null
  const served = answer["served"] as ServedStatus | null
  return {
    exitCode: ExitCode.done,
    text: [
      `process ${answer["pid"]}: ${answer["command"]} of ${answer["network"]} in ${answer["store"]}` +
      (answer["listening"] === null ? "" : `, listens on ${answer["listening"]}`),
      ...(served === null
        ? renderView(answer as unknown as ProgressSnapshot, { columns, rows: allRows, color: false })
        : [servedLine(served)]),
      ...(chain === null ? [] : chainStatusLines(chain)),
      ...partLines((answer["plugins"] ?? []) as ReadonlyArray<TroubledPart>, Number(answer["nowMillis"])),
      ""
    ].join("\n"),
    json: { running: true, status: answer }
  }
}

const stored = Effect.fnUntraced(function*(store: string, absent: CommandError) {
  const report = yield* readReport(store)
  if (report === undefined) {
    return yield* new CommandError({
      exitCode: absent.exitCode,
      remedy: absent.remedy,
      message: `${absent.message}; there is no ${store}/${reportFileName} of an earlier run either`
    })
  }
  const result: CommandResult = {
    exitCode: ExitCode.done,
    text:
      `not running; the last ${report["command"]} ended with exit code ${report["exitCode"]}: ${report["verdict"]}\n` +
      `${chainStatusLines(report["chain"] as ChainStatus).slice(1).map((line) => `  ${line}\n`).join("")}` +
      `  report: ${store}/${reportFileName}\n`,
    json: { running: false, last: report }
  }
  return result
})

export const status = command({
  name: "status",
  summary: "Show how far a running sync is, or how the last one ended",
  details: [`Without a running process it reads DIR/${reportFileName}. Exit code 1 when there is neither.`],
  flags: controlFlags,
  examples: [
    { args: "status --store /var/lib/tezos-store", says: "The run that writes there" },
    { args: "status --store /var/lib/tezos-store --json", says: "The same for a program" }
  ],
  check: planControl,
  run: ({ plan, settings }) =>
    askRunning(plan, "status", {}, settings.timeout).pipe(
      Effect.map(running),
      Effect.catch((error) =>
        isAbsent(error)
          ? stored(settings.store ?? dirname(plan), toCommandError(error))
          : Effect.fail(toCommandError(error))
      ),
      Effect.provide(NodeFileSystem.layer)
    )
})
