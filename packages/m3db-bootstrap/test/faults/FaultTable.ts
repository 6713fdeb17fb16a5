/** The matrix as Markdown, for `docs/faults.md`. Rows that differ in their names alone share a line. */
import { baseName, type FaultRow, type TimeBar } from "./FaultRow.ts"

const timeText = ({ plusMillis, ratio }: TimeBar): string =>
  plusMillis === undefined ? `${ratio} ×` : `${ratio} × + ${plusMillis / 1000} s`

const code = (names: ReadonlyArray<string>): string => names.map((name) => `\`${name}\``).join(", ")

const evidenceText = ({ blame, isLegal, mayBlame = [], unclear = [] }: FaultRow): string => {
  if (isLegal) return "none: legal"
  const parts = [
    ...(blame.length > 0 ? [code(blame)] : []),
    ...(mayBlame.length > 0 ? [`perhaps ${code(mayBlame)}`] : []),
    ...(unclear.length > 0 ? [`${code(unclear)} (unknown)`] : [])
  ]
  return parts.length === 0 ? "none" : parts.join("; ")
}

const atAllText: { readonly [K in FaultRow["atAll"]]: string } = {
  completes: "completes",
  waits: "waits for it",
  either: "either"
}

/** What stands in the columns behind the names. */
const cellsOf = (row: FaultRow): ReadonlyArray<string> => [
  row.does,
  row.client,
  evidenceText(row),
  timeText(row.bar),
  atAllText[row.atAll]
]

const namesOf = (rows: ReadonlyArray<FaultRow>): string => rows.map(({ name }) => `\`${name}\``).join(" ")

export const formatFaultTable = (rows: ReadonlyArray<FaultRow>): ReadonlyArray<string> => [
  "| behaviour | the replica | a client has to | evidence | time | level `all` |",
  "|---|---|---|---|---|---|",
  ...[...Map.groupBy(rows, (row) => [baseName(row.name), ...cellsOf(row)].join("|")).values()].map((same) =>
    `| ${namesOf(same)} | ${cellsOf(same[0]!).join(" | ")} |`
  )
]
