/** One fileset for people, as JSON, and its entries as CSV. Pure. */
import { formatNanosDuration } from "@peerstrap/command-line"
import { filePath } from "@peerstrap/m3db-files"
import { showId } from "@peerstrap/m3db-wire"
import { formatBytes, formatCount, formatNanos } from "@peerstrap/progress"
import { csvCell } from "../points/PointText.ts"
import type { EntryFacts, FilesetFacts } from "./FilesetFacts.ts"
import { hex32, idText, tagsJson, tagTexts, toHex } from "./IdText.ts"

/** Tags as `{a="b", c="d"}`; nothing when there are none. */
export const tagsLine = (encoded: Uint8Array): string => {
  const tags = tagTexts(encoded)
  if (typeof tags === "string") return ` (${tags})`
  return tags.length === 0 ? "" : ` {${tags.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")}}`
}

const entryLine = ({ checksum, id, offset, size, tags }: EntryFacts): string =>
  `    ${showId(id)}${tagsLine(tags)}: ${size} B at ${offset}, adler-32 ${hex32(checksum)}`

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

const problemsLines = ({ furtherProblems, problems }: FilesetFacts): Array<string> => [
  ...problems.map(({ message, offset, path, remedy }) =>
    `  problem: ${path}${offset < 0 ? "" : `: byte ${offset}`}: ${message}; what to do: ${remedy}`
  ),
  ...(furtherProblems === 0 ? [] : [`  and ${formatCount(furtherProblems)} further problems`])
]

const infoLines = ({ info, key }: FilesetFacts): Array<string> => [
  `  info: ${formatCount(info.entries)} series, block size ${
    formatNanosDuration(info.blockSize)
  }, schema ${info.majorVersion}.` +
  `${info.minorVersion}, volume ${info.volume}` +
  (info.snapshotId === undefined
    ? ""
    : `, snapshot ${toHex(info.snapshotId)} of ${formatNanos(info.snapshotTime)}`),
  `  path: ${filePath(key, "info").replace(/info\.db$/, "*.db")}`
]

const indexLines = ({ bloom, info, streams, summaries }: FilesetFacts): Array<string> => [
  ...(streams === undefined ? [] : [
    `  streams: ${formatBytes(streams.bytes)}, the smallest ${formatBytes(streams.smallest)}, the largest ${
      formatBytes(streams.largest)
    }`
  ]),
  ...(bloom === undefined ? [] : [
    `  bloom filter: ${formatCount(bloom.bits)} bits, ${bloom.hashes} hashes, ${percent(bloom.set)} of the bits set, ` +
    `lets ${percent(bloom.falsePositives)} of unknown ids through`
  ]),
  ...(summaries === undefined ? [] : [
    `  summaries: ${formatCount(summaries.count)} for ${formatCount(info.entries)} entries, index bytes ${
      formatCount(summaries.firstOffset)
    } to ${formatCount(summaries.lastOffset)}`
  ])
]

export const factsText = (facts: FilesetFacts): string => {
  const { entries, files, info, key, problems } = facts
  const end = formatNanos(key.blockStart + info.blockSize)
  const width = Math.max(...files.map(({ bytes }) => formatBytes(bytes ?? 0).length))
  const lines = [
    `namespace ${key.namespace}, shard ${key.shard}, block ${formatNanos(key.blockStart)} to ${end}: ${
      problems.length === 0 ? "sound" : "NOT sound"
    }`,
    ...infoLines(facts),
    "  files:",
    ...files.map(({ bytes, digest, file, sound }) =>
      `    ${file.padEnd(11)}  ${(bytes === undefined ? "missing" : formatBytes(bytes)).padStart(width)}  ${
        digest === undefined ? "" : `adler-32 ${hex32(digest)}, `
      }${sound ? "holds" : "DAMAGED"}`
    ),
    ...indexLines(facts),
    ...problemsLines(facts),
    ...(entries.length === 0 ? [] : [
      `  entries in order of id, ${
        entries.length === info.entries ? "all" : `the first ${formatCount(entries.length)} (all: --format csv)`
      }:`,
      ...entries.map(entryLine)
    ])
  ]
  return `${lines.join("\n")}\n`
}

export const factsJson = (
  { bloom, entries, files, furtherProblems, info, key, problems, streams, summaries }: FilesetFacts
) => ({
  namespace: key.namespace,
  shard: key.shard,
  blockStart: key.blockStart,
  volume: key.volume,
  sound: problems.length === 0,
  info: { ...info, snapshotId: info.snapshotId === undefined ? null : toHex(info.snapshotId) },
  files: files.map(({ bytes, digest, file, sound }) => ({
    file,
    path: filePath(key, file),
    bytes: bytes ?? null,
    adler32: digest === undefined ? null : hex32(digest),
    sound
  })),
  streams: streams ?? null,
  bloom: bloom ?? null,
  summaries: summaries ?? null,
  problems,
  furtherProblems,
  entries: entries.map(({ checksum, id, tags, ...rest }) => ({
    id: idText(id),
    tags: tagsJson(tags),
    ...rest,
    adler32: hex32(checksum)
  }))
})

export const entryColumns = "id,tags,write_index,offset,size,adler32\n"

/** A line of `entryColumns`, with its line feed. */
export const entryCells = ({ checksum, id, offset, size, tags, writeIndex }: EntryFacts): string => {
  const texts = tagTexts(tags)
  const cell = typeof texts === "string"
    ? `0x${toHex(tags)}`
    : texts.length === 0
    ? ""
    : JSON.stringify(Object.fromEntries(texts))
  return `${csvCell(idText(id))},${csvCell(cell)},${writeIndex},${offset},${size},${hex32(checksum)}\n`
}
