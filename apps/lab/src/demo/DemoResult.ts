/** The end of the demonstration: one line of JSON, or text for a person; and its exit code. Pure. */
import { ExitCode } from "@peerstrap/command-line"
import { formatBytes, formatCount, formatDuration, formatRate } from "@peerstrap/progress"
import * as Schema from "effect/Schema"
import type { ProcessEnd } from "../processes/SiblingProcess.ts"
import { type Comparison, isEqual } from "./Comparison.ts"
import { codeOfProcess, parsed } from "./ProgramResult.ts"

/** What the demonstration reads of the bootstrapper's document; the whole of it lies in the output directory. */
const BootstrapDocument = Schema.Struct({
  verdict: Schema.String,
  report: Schema.Struct({
    level: Schema.String,
    startedMillis: Schema.Finite,
    endedMillis: Schema.Finite,
    bytes: Schema.Finite,
    seriesBlocks: Schema.Struct({ stored: Schema.Finite, merged: Schema.Finite, missing: Schema.Finite }),
    missing: Schema.Struct({
      total: Schema.Finite,
      entries: Schema.Array(Schema.Struct({
        shard: Schema.Finite,
        blockStart: Schema.String,
        id: Schema.optionalKey(Schema.String),
        peers: Schema.Array(Schema.String),
        reason: Schema.String
      }))
    }),
    unlisted: Schema.Struct({ total: Schema.Finite }),
    divergences: Schema.Struct({ total: Schema.Finite, counts: Schema.Record(Schema.String, Schema.Finite) }),
    peers: Schema.Array(Schema.Struct({
      id: Schema.String,
      seriesBlocks: Schema.Finite,
      bytes: Schema.Finite,
      failures: Schema.Finite
    }))
  })
})
type BootstrapDocument = typeof BootstrapDocument.Type

const VerifyDocument = Schema.Struct({
  filesets: Schema.Finite,
  verified: Schema.Boolean,
  problems: Schema.Array(Schema.Unknown)
})

export interface DemoEnd {
  readonly out: string
  readonly control: string
  readonly namespace: string
  readonly tookMillis: number
  readonly bootstrap: ProcessEnd
  /** Undefined when the bootstrapper did not come to an end that leaves files to check. */
  readonly verify: ProcessEnd | undefined
  readonly comparison: Comparison | undefined
  /** The last lines that the programs wrote beside their progress. */
  readonly messages: ReadonlyArray<string>
}

/** 0 only if all three say yes: the bootstrapper, `verify`, and the comparison with the seeded data. */
export const codeOf = ({ bootstrap, comparison, verify }: DemoEnd): ExitCode => {
  for (const one of [bootstrap, verify]) {
    if (one === undefined) return ExitCode.no
    const code = codeOfProcess(one)
    if (code !== ExitCode.done) return code
  }
  return comparison !== undefined && isEqual(comparison) ? ExitCode.done : ExitCode.no
}

/** Missing parts that the result spells out; the bootstrapper's report has them all. */
const shownMissing = 100

const perSecond = (count: number, report: BootstrapDocument["report"]): number =>
  count * 1_000 / Math.max(1, report.endedMillis - report.startedMillis)

export const demoJson = (end: DemoEnd) => {
  const bootstrap = parsed(BootstrapDocument, end.bootstrap.stdout)
  const verify = end.verify === undefined ? undefined : parsed(VerifyDocument, end.verify.stdout)
  const exitCode = codeOf(end)
  const { bytes, divergences, missing, peers, seriesBlocks, unlisted } = bootstrap?.report ?? {}
  return {
    verified: exitCode === ExitCode.done,
    exitCode,
    out: end.out,
    tookMillis: end.tookMillis,
    bootstrap: {
      exitCode: end.bootstrap.exitCode ?? null,
      verdict: bootstrap?.verdict ?? null,
      ...(bootstrap === undefined ? {} : {
        level: bootstrap.report.level,
        bytes,
        bytesPerSecond: Math.round(perSecond(bootstrap.report.bytes, bootstrap.report)),
        seriesBlocksPerSecond: Math.round(perSecond(bootstrap.report.seriesBlocks.stored, bootstrap.report)),
        seriesBlocks,
        divergences: divergences?.counts,
        missing: { total: missing?.total, entries: missing?.entries.slice(0, shownMissing) },
        unlisted: unlisted?.total,
        peers
      })
    },
    verify: end.verify === undefined ? null : {
      exitCode: end.verify.exitCode ?? null,
      filesets: verify?.filesets ?? null,
      problems: verify?.problems.length ?? null
    },
    comparison: end.comparison ?? null
  }
}

const bootstrapLines = ({ report, verdict }: BootstrapDocument): ReadonlyArray<string> => {
  const { bytes, divergences, endedMillis, missing, peers, seriesBlocks, startedMillis } = report
  const counts = Object.entries(divergences.counts).filter(([, count]) => count > 0)
  return [
    `  bootstrap: ${verdict}`,
    `    ${formatCount(seriesBlocks.stored)} series-blocks, ${formatBytes(bytes)} in ${
      formatDuration(endedMillis - startedMillis)
    }: ${formatRate(perSecond(bytes, report))}, ${formatCount(perSecond(seriesBlocks.stored, report))} series-blocks/s`,
    ...peers.map(({ bytes, failures, id, seriesBlocks }) =>
      `    from ${id}: ${formatCount(seriesBlocks)} series-blocks, ${formatBytes(bytes)}` +
      (failures === 0 ? "" : `, ${formatCount(failures)} failed calls`)
    ),
    counts.length === 0
      ? "    the replicas did not differ"
      : `    the replicas differed: ${
        counts.map(([kind, count]) => `${kind.replaceAll("-", " ")} ${formatCount(count)}`).join(", ")
      }; ${formatCount(seriesBlocks.merged)} merged`,
    ...(missing.total === 0 ? [] : [`    missing: ${formatCount(missing.total)}`]),
    ...missing.entries.slice(0, 5).map(({ blockStart, peers, reason, shard }) =>
      `      shard ${shard} block ${blockStart}: ${reason}${peers.length === 0 ? "" : ` (${peers.join(", ")})`}`
    )
  ]
}

const comparisonLines = (
  { different, equal, expected, first, missing, unexpected }: Comparison
): ReadonlyArray<string> => [
  `  compared with the seeded data: ${formatCount(equal)} of ${formatCount(expected)} series-blocks equal` +
  (equal === expected && unexpected === 0
    ? ""
    : `, ${formatCount(different)} different, ${formatCount(missing)} missing, ${formatCount(unexpected)} unexpected`),
  ...first.map((line) => `    ${line}`)
]

export const demoText = (end: DemoEnd): string => {
  const bootstrap = parsed(BootstrapDocument, end.bootstrap.stdout)
  const verify = end.verify === undefined ? undefined : parsed(VerifyDocument, end.verify.stdout)
  const code = codeOf(end)
  const { exitCode, signal } = end.bootstrap
  return [
    `${code === ExitCode.done ? "verified" : "NOT verified"} after ${formatDuration(end.tookMillis)}`,
    ...(bootstrap === undefined
      ? [`  bootstrap: ended ${signal === undefined ? `with exit code ${exitCode}` : `by ${signal}`} without a report`]
      : bootstrapLines(bootstrap)),
    ...(verify === undefined
      ? [`  verify: ${end.verify === undefined ? "not run" : `ended with exit code ${end.verify.exitCode}`}`]
      : [
        `  verify: ${verify.filesets} filesets, ${
          verify.verified ? "no problem" : `${verify.problems.length} problems`
        }`
      ]),
    ...(end.comparison === undefined ? [] : comparisonLines(end.comparison)),
    ...(code === ExitCode.done ? [] : end.messages.map((line) => `  ${line}`)),
    `  files: ${end.out}/data/${end.namespace} (kept; remove with: rm -r ${end.out})`,
    ""
  ].join("\n")
}
