/** `report`: how the last bootstrap into a directory ended, with its lists. */
import { command, CommandError, type CommandResult, ExitCode, Type, withDefault } from "@peerstrap/command-line"
import { formatNanos } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { reportFileName, reportText } from "../bootstrap/ReportText.ts"
import { readStoredReport, type StoredReport } from "../bootstrap/StoredReport.ts"

const headText = (
  { ended, error, exitCode, from, namespace, notes, plugins, settings, started, to }: StoredReport
): string =>
  [
    `bootstrap of ${namespace} from ${started} to ${ended}, exit code ${exitCode}`,
    ...(error === undefined ? [] : [`  ${error.message}${error.remedy === "" ? "" : `; what to do: ${error.remedy}`}`]),
    `  asked for: shards ${settings.shards} of ${settings.numShards}, blocks of ${settings.blockSize} from ${
      formatNanos(BigInt(from))
    } to ${formatNanos(BigInt(to))}`,
    `  peers: ${settings.peers.map(({ address, id }) => `${id}=${address}`).join(", ")}`,
    `  plugins: ${plugins.map(({ id, version }) => `${id} ${version}`).join(", ")}`,
    ...notes.map((note) => `  ${note}`),
    ""
  ].join("\n")

const runReport = Effect.fnUntraced(function*(directory: string, limit: number) {
  const report = yield* readStoredReport(directory)
  if (report === undefined) {
    return yield* new CommandError({
      exitCode: ExitCode.no,
      message: `there is no ${directory}/${reportFileName}`,
      remedy: "give the --out of a bootstrap that has ended; one that runs answers status and why"
    })
  }
  const { before } = report
  return {
    exitCode: ExitCode.done,
    text: headText(report) + reportText(report, limit) + (before === undefined
      ? ""
      : `before it, the last run that fetched something:\n${headText(before)}${reportText(before, limit)}`),
    json: { last: report }
  } satisfies CommandResult as CommandResult
})

export const report = command({
  name: "report",
  summary: "Show how the last bootstrap into a directory ended: work, what is missing, what differs, verdicts",
  details: [
    `Reads DIR/${reportFileName}, which every run leaves, whatever its end: blocks, bytes, rates, retries, the level and its changes; what ` +
    "is missing, by series or by block, and why; how replicas differ, by series and block with sizes and checksums; for each peer its share, " +
    "its failures and the evidence against it; what the run waited for when it ended. The report of a run that fetched nothing (--resume where " +
    "all is there) keeps that of the last one that did, which is shown after it.",
    "Exit code 0 when there is a report, whatever it says; 1 when there is none."
  ],
  operands: { name: "DIR", least: 1, most: 1, help: "The --out of the run." },
  flags: {
    limit: withDefault(Type.integer(0, 10_000, 100), "20", "Most entries of each list; counts are complete.")
  },
  examples: [
    { args: "report /var/lib/m3db", says: "The last run that wrote there" },
    {
      args: "report /var/lib/m3db --limit 10000 --json",
      says: "All of it for a program; JSON has complete lists in any case"
    }
  ],
  run: ({ operands, settings }) =>
    Effect.provide(runReport(resolve(operands[0]!), settings.limit), NodeFileSystem.layer)
})
