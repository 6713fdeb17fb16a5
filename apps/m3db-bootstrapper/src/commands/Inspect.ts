/** `inspect`: one fileset, or one series with its points. */
import {
  command,
  CommandError,
  type CommandInput,
  type CommandResult,
  ExitCode,
  makeStatusLine,
  optional,
  type Problem,
  shown,
  Type,
  withDefault
} from "@peerstrap/command-line"
import { type FilesetError, type FilesetKey, FilesetReader } from "@peerstrap/m3db-files"
import { showId } from "@peerstrap/m3db-wire"
import { formatCount } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { choiceText, chooseFilesets, type ChosenFileset } from "../inspect/ChooseFileset.ts"
import { type DataFilter, isLocal, problemOf, problemText, scanData } from "../inspect/DataDirectory.ts"
import { directoryFlags, directoryOperand, planFilter } from "../inspect/DirectoryFlags.ts"
import { entriesOf, filesetFacts } from "../inspect/FilesetFacts.ts"
import { entryCells, entryColumns, factsJson, factsText } from "../inspect/FilesetText.ts"
import { idOfText } from "../inspect/IdText.ts"
import { inspectSeries } from "../inspect/InspectSeries.ts"
import { blockPieces, type InspectFormat, inspectFormats, seriesHeader } from "../inspect/SeriesText.ts"

const inspectFlags = {
  namespace: directoryFlags.namespace,
  shard: optional(Type.integer(0, 65_535, 3), "The shard to look at."),
  blockStart: optional(Type.time, "The block to look at."),
  volume: optional(Type.integer(0, 2_147_483_647, 0), "The volume to look at. Without it the one that a node reads."),
  id: optional(
    Type.text("ID", "an id as text, or 0x and hex", "cpu,host=a"),
    "The series whose points are shown: its id as text, or 0x and hex. Without it: the fileset."
  ),
  format: withDefault(
    Type.oneOf(inspectFormats, "csv"),
    "text",
    "csv: the points, or all entries of the fileset. json: what --json prints."
  ),
  limit: withDefault(Type.integer(0, 1_000_000, 100), "20", "Most entries of a fileset in text and json."),
  encoding: withDefault(
    Type.oneOf(["m3tsz", "protobuf"], "m3tsz"),
    "m3tsz",
    "How the namespace encodes values. protobuf streams are checked as bytes, and their points are not shown."
  )
} as const

interface InspectPlan {
  readonly filter: DataFilter
  readonly id: Uint8Array | undefined
}

type InspectInput = CommandInput<typeof inspectFlags, InspectPlan>

const formatOf = ({ json, settings }: InspectInput): InspectFormat => json ? "json" : settings.format

const failed = (error: FilesetError): CommandError => {
  const { remedy, ...problem } = problemOf(error)
  return new CommandError({
    exitCode: isLocal(error) ? ExitCode.local : ExitCode.no,
    message: `${problem.path}${problem.offset < 0 ? "" : `: byte ${problem.offset}`}: ${problem.what}`,
    remedy
  })
}

const shownChoices = 10

const theOnly = (chosen: ReadonlyArray<ChosenFileset>) => {
  if (chosen.length === 1) return Effect.succeed(chosen[0]!)
  if (chosen.length === 0) {
    return Effect.fail(
      new CommandError({
        exitCode: ExitCode.usage,
        message: "no fileset has this block start and volume",
        remedy: "see what is there with peerstrap-m3db ls DIR"
      })
    )
  }
  const lines = chosen.slice(0, shownChoices).map((one) => `  ${choiceText(one)}`)
  const more = chosen.length > shownChoices ? [`  and ${formatCount(chosen.length - shownChoices)} more`] : []
  return Effect.fail(
    new CommandError({
      exitCode: ExitCode.usage,
      message: `${formatCount(chosen.length)} filesets are meant:\n${[...lines, ...more].join("\n")}`,
      remedy: "say which one, or name a series with --id"
    })
  )
}

const writeEntries = (key: FilesetKey, { terminal }: InspectInput) =>
  Effect.gen(function*() {
    const reader = yield* FilesetReader.open(key)
    yield* terminal.out(entryColumns)
    yield* Stream.runForEach(reader.entries, (batch) => terminal.out(entriesOf(batch).map(entryCells).join("")))
  }).pipe(Effect.scoped, Effect.mapError(failed))

const inspectFileset = Effect.fnUntraced(function*(input: InspectInput, chosen: ChosenFileset) {
  const { operands, settings } = input
  const { fileset, namespace, shard } = chosen
  const { blockStart, legacy, volume } = fileset
  const key: FilesetKey = { prefix: operands[0]!, namespace, shard, blockStart, volume, legacy }
  const format = formatOf(input)
  if (format === "csv") {
    yield* writeEntries(key, input)
    return { exitCode: ExitCode.done, text: "" } satisfies CommandResult as CommandResult
  }
  const facts = yield* filesetFacts(key, fileset, {
    mostEntries: settings.limit,
    decode: settings.encoding === "m3tsz"
  }).pipe(Effect.scoped, Effect.mapError(failed))
  const onlyLocal = facts.problems.length > 0 && facts.problems.every(isLocal)
  const json = factsJson(facts)
  return {
    exitCode: onlyLocal ? ExitCode.local : facts.problems.length > 0 ? ExitCode.no : ExitCode.done,
    text: format === "json" ? documentText("inspect", json) : factsText(facts),
    json
  } satisfies CommandResult as CommandResult
})

/** `--format json` prints what `--json` does, without command and exit code. */
const documentText = (name: string, json: object): string =>
  `${
    JSON.stringify(
      { command: name, ...json },
      (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)
    )
  }\n`

const inspectOneSeries = Effect.fnUntraced(function*(
  input: InspectInput,
  id: Uint8Array,
  chosen: ReadonlyArray<ChosenFileset>
) {
  const { json, operands, terminal } = input
  const format = formatOf(input)
  const status = yield* makeStatusLine(terminal, json)
  const filesets = chosen
    .filter(({ fileset }) => fileset.complete)
    .toSorted((a, b) => a.fileset.blockStart < b.fileset.blockStart ? -1 : 1)
  let header = seriesHeader(format)
  const search = yield* inspectSeries({
    directory: operands[0]!,
    id,
    filesets,
    onBlock: Effect.fnUntraced(function*(block) {
      yield* terminal.out(header)
      header = ""
      for (const piece of blockPieces(format, block)) yield* terminal.out(piece)
    }),
    onProblem: (problem) =>
      status.say(`peerstrap-m3db inspect: ${problemText(problem)}`, { type: "problem", ...problem })
  })
  const { blocks, looked, onlyLocal, points, problems } = search
  const none = blocks === 0
    ? {
      error: {
        message: `no series ${showId(id)} in ${formatCount(looked)} filesets`,
        remedy:
          "an id that is no text is given as 0x and hex, as digest shows it; --namespace, --shard, --block-start and --volume narrow the search"
      }
    }
    : {}
  return {
    exitCode: problems > 0 && onlyLocal ? ExitCode.local : blocks === 0 || problems > 0 ? ExitCode.no : ExitCode.done,
    text: "",
    json: { filesets: looked, blocks, points, problems },
    ...none
  } satisfies CommandResult as CommandResult
})

const runInspect = Effect.fnUntraced(function*(input: InspectInput) {
  const { operands, plan, settings } = input
  const namespaces = yield* scanData(operands[0]!, plan.filter)
  const chosen = chooseFilesets(namespaces, settings)
  return plan.id === undefined
    ? yield* inspectFileset(input, yield* theOnly(chosen))
    : yield* inspectOneSeries(input, plan.id, chosen)
})

const planId = (given: string | undefined, problem: (problem: Problem) => void): Uint8Array | undefined => {
  const id = given === undefined ? undefined : idOfText(given)
  if (given !== undefined && id === undefined) {
    problem({
      where: "--id",
      message: `${
        shown(given)
      } is no hex; an id that begins with 0x itself is given as 0x and the hex of all of its bytes`
    })
  }
  return id
}

export const inspect = command({
  name: "inspect",
  summary: "Show one fileset, or the points of one series",
  details: [
    "Without --id: info file, sizes and checksums of the seven files, bloom filter, summaries and the first entries of one fileset, each " +
    "byte of it checked. With --id: the series in every block that has it, with tags, and each point with time, value, unit and " +
    "annotation. Only complete filesets are looked into, at the volume that a node reads.",
    "With --json a series is one JSON line a block, then a line with counts and the exit code. CSV has timestamp_ns, value, unit and " +
    "annotation (0x and hex) of each point. Exit code 1 when there is no such series, or the fileset is damaged."
  ],
  operands: { name: "DIR", least: 1, most: 1, help: directoryOperand },
  flags: inspectFlags,
  examples: [
    {
      args: "inspect /var/lib/m3db --namespace metrics --shard 3 --block-start 2026-11-21T10:00:00Z",
      says: "One fileset"
    },
    { args: "inspect /var/lib/m3db --namespace metrics --id cpu,host=a", says: "A series in all blocks" },
    {
      args: "inspect /var/lib/m3db --namespace metrics --shard 3 --id 0x00000eff --format csv > points.csv",
      says: "A series whose id is no text, as CSV"
    }
  ],
  check: (settings, _operands, _context, problem): InspectPlan => ({
    filter: {
      ...planFilter({ namespace: settings.namespace }, problem),
      shards: settings.shard === undefined ? undefined : [settings.shard]
    },
    id: planId(settings.id, problem)
  }),
  run: (input) => Effect.provide(runInspect(input), NodeFileSystem.layer)
})
