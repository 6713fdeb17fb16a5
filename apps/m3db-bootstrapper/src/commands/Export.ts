/** `export`: every point of a namespace's filesets as line protocol or CSV. */
import {
  command,
  CommandError,
  type CommandInput,
  type CommandResult,
  derived,
  ExitCode,
  makeStatusLine,
  optional,
  type Problem,
  shown,
  toggle,
  Type,
  withDefault
} from "@peerstrap/command-line"
import { formatCount, formatNanos } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { exportDirectory, type ExportTotals } from "../export/ExportDirectory.ts"
import { exportFormats, writerOf } from "../export/ExportFormat.ts"
import { fileOutput, standardOutput } from "../export/ExportOutput.ts"
import { problemOfName } from "../export/LineProtocol.ts"
import { type ExportPlace, exportPlace, placeText } from "../export/Resume.ts"
import { type DataFilter, problemText, scanData } from "../inspect/DataDirectory.ts"
import { directoryFlags, directoryOperand, planFilter } from "../inspect/DirectoryFlags.ts"

const exportFlags = {
  ...directoryFlags,
  namespace: { ...directoryFlags.namespace, defaultText: "the only one", help: "The namespace to export." },
  format: withDefault(Type.oneOf(exportFormats, "csv"), "line-protocol", "What is written; see above."),
  measurement: derived(
    Type.text("NAME", "a name", "m3db"),
    "the namespace",
    "Measurement of series that have no __name__ tag, for line protocol."
  ),
  field: withDefault(Type.text("NAME", "a name", "value"), "value", "Name of the field, for line protocol."),
  idTag: withDefault(
    Type.text("NAME", "a name", "id"),
    "id",
    "Tag that holds the id of series without tags, for line protocol."
  ),
  start: optional(Type.time, "Blocks that begin before it are left out."),
  end: optional(Type.time, "Blocks that begin at or after it are left out."),
  from: optional(
    exportPlace,
    "Goes on at this block of this shard, without a header: what an export that was stopped told on standard error."
  ),
  out: derived(Type.path("FILE", "metrics.lp"), "standard output", "The file, which appears when it is whole."),
  overwrite: toggle("Replaces --out when it exists."),
  json: toggle("Standard error has JSON lines. Standard output is the same.")
} as const

type ExportInput = CommandInput<typeof exportFlags, DataFilter>

const checkNames = (settings: Partial<ExportInput["settings"]>, problem: (problem: Problem) => void): void => {
  for (const [key, where] of [["measurement", "--measurement"], ["field", "--field"], ["idTag", "--id-tag"]] as const) {
    const name = settings[key]
    const wrong = name === undefined ? undefined : problemOfName(name, key === "measurement")
    if (wrong !== undefined) problem({ where, message: `${shown(name!)} ${wrong}` })
  }
  const { end, start } = settings
  if (start !== undefined && end !== undefined && start >= end) {
    problem({ where: "--start", message: `${formatNanos(start)} is not before --end ${formatNanos(end)}` })
  }
}

/** Problems told one by one; all are counted. */
const toldProblems = 100

const endText = (totals: ExportTotals): string => {
  const { blocks, leftOutPoints, leftOutSeries, points, problems, series } = totals
  return [
    `${formatCount(points)} points of ${formatCount(series)} series-blocks in ${formatCount(blocks)} blocks`,
    ...(leftOutPoints === 0 ? [] : [`${formatCount(leftOutPoints)} NaN or infinite points left out (csv has them)`]),
    ...(leftOutSeries === 0 ? [] : [`${formatCount(leftOutSeries)} series-blocks left out (their names do not fit)`]),
    ...(problems === 0 ? [] : [`${formatCount(problems)} problems: what they concern is left out`])
  ].join(", ")
}

const runExport = Effect.fnUntraced(function*({ json, operands, plan, settings, terminal }: ExportInput) {
  const directory = operands[0]!
  const namespaces = yield* scanData(directory, plan)
  if (namespaces.length > 1) {
    return yield* new CommandError({
      exitCode: ExitCode.usage,
      message: `${directory} holds ${namespaces.length} namespaces: ${
        namespaces.slice(0, 10).map(({ namespace }) => namespace).join(", ")
      }`,
      remedy: "name one with --namespace"
    })
  }
  const [namespace] = namespaces
  const status = yield* makeStatusLine(terminal, json)
  const say = (text: string, fields: Readonly<Record<string, unknown>>): void =>
    status.say(`peerstrap-m3db export: ${text}`, fields)
  const output = settings.out === undefined
    ? standardOutput(terminal)
    : yield* fileOutput(resolve(settings.out), settings.overwrite)
  const measurement = settings.measurement ?? namespace!.namespace
  let told = 0
  let at: ExportPlace | undefined
  const totals = yield* exportDirectory({
    directory,
    namespace: namespace!,
    from: settings.from,
    start: settings.start,
    end: settings.end,
    writer: writerOf(settings.format, { measurement, field: settings.field, idTag: settings.idTag }),
    write: output.write,
    onProblem: (problem) => {
      if (told++ < toldProblems) say(problemText(problem), { type: "problem", ...problem })
    },
    onPlace: (next, so) => {
      at = next
      if (next === undefined) return Effect.void
      if (json) status.say("", { type: "block", ...next, next: placeText(next), points: so.points })
      return Effect.sync(() =>
        status.update(() =>
          `export: ${formatCount(so.points)} points, at shard ${next.shard} block ${formatNanos(next.blockStart)}`
        )
      )
    }
  }).pipe(
    // What was written on standard output of the block at hand comes again then; points are the same, so that writing them twice is harmless.
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (exit._tag === "Success" || at === undefined) return
        say(
          settings.out === undefined
            ? `stopped; go on with --from ${placeText(at)}`
            : `stopped; ${settings.out} was not written`,
          { type: "stopped", next: settings.out === undefined ? placeText(at) : null }
        )
      })
    )
  )
  yield* output.publish
  if (told > toldProblems) {
    say(`${formatCount(told - toldProblems)} further problems`, { type: "message", further: told - toldProblems })
  }
  say(endText(totals), { type: "end", ...totals })
  const exitCode = totals.problems + totals.leftOutSeries === 0 ? ExitCode.done : ExitCode.no
  return { exitCode, text: "" } satisfies CommandResult as CommandResult
})

export const exportCommand = command({
  name: "export",
  summary: "Write every point of a namespace's filesets as line protocol or CSV",
  details: [
    "line-protocol is InfluxDB's, a line a point with its time in ns: the measurement is the __name__ tag, all other tags are tags, the " +
    "value is a float field. Series without tags get their id as a tag. NaN and infinities do not exist there and are counted; series with a " +
    "name that it cannot write (not UTF-8, a line feed, a backslash at the end) are named, and the exit code is 1. Time units and " +
    "annotations are in csv only: namespace, shard, block_start, id, tags (a JSON object), timestamp_ns, value, unit, annotation (0x and hex).",
    "It goes by shard, block and id, from the highest complete volume of each block, and reads in bounded memory. Every stream is " +
    "checked against its checksum; what is damaged is named on standard error and left out, exit code 1. When it is stopped it says " +
    "where to go on with --from."
  ],
  operands: { name: "DIR", least: 1, most: 1, help: directoryOperand },
  flags: exportFlags,
  linesOnly: true,
  examples: [
    { args: "export /var/lib/m3db --namespace metrics --out metrics.lp", says: "A namespace into a file" },
    {
      args:
        "export /var/lib/m3db --namespace metrics --format csv --shards 0-7 --start 2026-11-21T10:00:00Z > part.csv",
      says: "Eight shards from a time on, as CSV"
    },
    {
      args: "export /var/lib/m3db --namespace metrics --from 3/1795204800000000000",
      says: "Goes on where an export was stopped"
    }
  ],
  check: (settings, _operands, _context, problem): DataFilter => {
    checkNames(settings, problem)
    return planFilter(settings, problem)
  },
  run: (input) => Effect.provide(runExport(input), NodeFileSystem.layer)
})
