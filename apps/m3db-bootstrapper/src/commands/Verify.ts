/** `verify`: checks every fileset of a directory to the last byte. */
import { command, ExitCode, makeStatusLine, optional, toggle, Type, withDefault } from "@peerstrap/command-line"
import { formatBytes, formatCount, formatNanos } from "@peerstrap/progress"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { scanData } from "../inspect/DataDirectory.ts"
import { directoryFlags, directoryOperand, planFilter } from "../inspect/DirectoryFlags.ts"
import { type DirectoryVerification, verifyDirectory } from "../inspect/VerifyDirectory.ts"

const verifyFlags = {
  ...directoryFlags,
  numShards: optional(
    Type.integer(1, 65_536, 64),
    "Shards of the cluster: checks also that every series lies in the shard that its id hashes to."
  ),
  hashSeed: withDefault(Type.integer(0, 4_294_967_295, 0), "0", "The cluster's hashing seed, for --num-shards."),
  encoding: withDefault(
    Type.oneOf(["m3tsz", "protobuf"], "m3tsz"),
    "m3tsz",
    "How the namespace encodes values. protobuf streams are checked as bytes, not decoded."
  ),
  noGaps: toggle(
    "Exit code 1 also when a shard lacks blocks that other shards of its namespace have. With --num-shards, and without --shards, also shards count " +
      "that are not there at all."
  )
} as const

const remedyOfIncomplete = "a node ignores it: delete its files, or let bootstrap --resume write the block again"

const manyGaps = 20

const resultText = (result: DirectoryVerification): string => {
  const { bytes, entries, filesets, furtherProblems, gaps, incomplete, problems, verified } = result
  const lines = incomplete.map(({ path }) =>
    `${path}: incomplete fileset, no whole checkpoint file; what to do: ${remedyOfIncomplete}`
  )
  for (const { blockStart, namespace, shard } of gaps.slice(0, manyGaps)) {
    lines.push(`gap: namespace ${namespace}, shard ${shard} has no block ${formatNanos(blockStart)}, other shards do`)
  }
  if (gaps.length > manyGaps) lines.push(`gap: ${formatCount(gaps.length - manyGaps)} more (all with --json)`)
  const wrong = [
    ...(problems.length > 0 ? [`${formatCount(problems.length + furtherProblems)} problems`] : []),
    ...(incomplete.length > 0 ? [`${formatCount(incomplete.length)} incomplete`] : []),
    ...(gaps.length > 0 ? [`${formatCount(gaps.length)} gaps`] : [])
  ]
  const totals = `${formatCount(filesets)} filesets, ${formatCount(entries)} entries, ${formatBytes(bytes)} of data`
  lines.push(`${verified ? "verified" : "NOT verified"}: ${[totals, ...wrong].join(", ")}`)
  return `${lines.join("\n")}\n`
}

const resultJson = (result: DirectoryVerification) => ({
  filesets: result.filesets,
  entries: result.entries,
  bytes: result.bytes,
  problems: result.problems,
  furtherProblems: result.furtherProblems,
  incomplete: result.incomplete.map((one) => ({ ...one, remedy: remedyOfIncomplete })),
  gaps: result.gaps,
  verified: result.verified
})

export const verify = command({
  name: "verify",
  summary: "Check every fileset of a directory to the last byte",
  details: [
    "All seven files of every complete fileset, superseded volumes included: every digest, every index entry with its tags, the " +
    "checksum of every series, every stream decoded (end marker, times inside the block), bloom filter and summaries against the " +
    "index. Filesets without a whole checkpoint file are named, and nothing is verified with them. Index filesets (of reverse " +
    "indexes) and snapshots are not looked at."
  ],
  operands: { name: "DIR", least: 1, most: 1, help: directoryOperand },
  flags: verifyFlags,
  examples: [
    { args: "verify /var/lib/m3db", says: "Everything in a node's data directory" },
    {
      args: "verify /var/lib/m3db --namespace metrics --num-shards 64 --no-gaps",
      says: "One namespace; series must lie in their shard, and no shard may lack a block"
    },
    { args: "verify /var/lib/m3db --json", says: "One JSON document with every problem, its file, offset and remedy" }
  ],
  check: (settings, _operands, _context, problem) => planFilter(settings, problem),
  run: Effect.fnUntraced(function*({ json, operands, plan, settings, terminal }) {
    const directory = operands[0]!
    const namespaces = yield* scanData(directory, plan)
    const status = yield* makeStatusLine(terminal, json)
    const { numShards } = settings
    const result = yield* verifyDirectory({
      directory,
      namespaces,
      sharding: numShards === undefined ? undefined : { numShards, seed: settings.hashSeed },
      // A node's own directory holds a part of the shards: asked for are all of them with --no-gaps only.
      expectedShards: settings.noGaps && settings.shards === undefined ? numShards ?? 0 : 0,
      decode: settings.encoding === "m3tsz",
      onFileset: (done, total, path) =>
        Effect.sync(() =>
          status.update(() => `verify: ${formatCount(done)} of ${formatCount(total)} filesets, at ${path}`)
        ),
      onProblem: ({ offset, path, remedy, what }) =>
        json
          ? Effect.void
          : terminal.out(`${path}${offset < 0 ? "" : `: byte ${offset}`}: ${what}; what to do: ${remedy}\n`)
    })
    const bad = !result.verified || (settings.noGaps && result.gaps.length > 0)
    return {
      exitCode: result.onlyUnreadable ? ExitCode.local : bad ? ExitCode.no : ExitCode.done,
      text: resultText(result),
      json: resultJson(result)
    }
  }, Effect.provide(NodeFileSystem.layer))
})
