/** `metrics.md`: the numbers that a run gives out: members of its snapshots, from their types and doc comments. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { code, membersOf, page, root, table } from "./Sources.ts"

const snapshots = "packages/progress/src/contract/Snapshot.ts"
const waits = "packages/progress/src/contract/Wait.ts"

const wordsOfType = (type: string): string =>
  type === "EtaConfidence"
    ? "unknown | low | medium | high | over"
    : type.replaceAll("readonly ", "").replaceAll(/ReadonlyArray<(\w+)>/g, "$1[]")

/** For members that say little by themselves and have no doc comment. */
const words: Readonly<Record<string, string>> = {
  startedMillis: "When the run began, in milliseconds since 1970.",
  nowMillis: "The moment of the snapshot.",
  jobs: "Pieces that the run is cut into, and how many of them are done.",
  items: "Series-blocks, or blocks of a chain.",
  bytes: "Of data, without overhead.",
  rates: "Over the last 10 s.",
  eta: "What is left.",
  lanes: "Independent parts of the run.",
  peers: "Every peer of the run.",
  waits: "What `why` says.",
  warnings: "What a person should know, as sentences.",
  totalIsGrowing: "The total may still grow, so that it is no measure yet.",
  confidence: "How far the estimate can be trusted; `over`: the run has ended or is ending, nothing is estimated.",
  failures: "Calls or requests that failed.",
  lastError: "In words."
}

const section = (title: string, path: string, name: string): string => {
  const members = membersOf(readFileSync(join(root, path), "utf8"), name)
  return `## ${title}\n\n\`${name}\` of \`@peerstrap/progress\`.\n\n${
    table(
      ["member", "type", ""],
      members.map(({ doc, name: member, optional, type }) => [
        code(`${member}${optional ? "?" : ""}`),
        code(wordsOfType(type)),
        doc === "" ? words[member] ?? "" : doc
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
      section("A wait, the unit of `why`", waits, "Wait"),
      section("A change that would end a wait", waits, "WaitChange")
    ].join("\n")
  )
