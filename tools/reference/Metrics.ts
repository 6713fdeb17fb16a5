/** `metrics.md`: the numbers that a run gives out: members of its snapshots, from their types and doc comments. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { code, membersOf, page, root, table } from "./Sources.ts"

const snapshots = "packages/progress/src/contract/Snapshot.ts"
const waits = "packages/progress/src/contract/Wait.ts"

const section = (title: string, path: string, name: string): string => {
  const members = membersOf(readFileSync(join(root, path), "utf8"), name)
  return `## ${title}\n\n\`${name}\` of \`@peerstrap/progress\`.\n\n${
    table(
      ["member", "type", ""],
      members.map(({ doc, name: member, optional, type }) => [
        code(`${member}${optional ? "?" : ""}`),
        code(type.replaceAll("readonly ", "").replaceAll(/ReadonlyArray<(\w+)>/g, "$1[]")),
        doc
      ])
    )
  }`
}

export const metricsPage = (): string =>
  page(
    "Metrics",
    "There is no Prometheus and no OTLP export. Numbers of a run are the members of its *snapshot*: with `--json` one a line on standard error every 10 s,\n" +
      "as `{\"type\":\"snapshot\",…}`, and in the answer of the control socket to `status` (`status --json`). A number is the state at that moment; rates are per second.",
    [
      section("A snapshot", snapshots, "ProgressSnapshot"),
      section("Items and bytes", snapshots, "Amount"),
      section("The estimate of what is left", snapshots, "Eta"),
      section("A lane: a shard, or a part of a sync", snapshots, "LaneSnapshot"),
      section("A peer", snapshots, "PeerSnapshot"),
      section("A wait, the unit of `why`", waits, "Wait")
    ].join("\n")
  )
