/** `events.md`: what programs tell while they run: names and fields from the places in the sources that tell them. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { eventsIn, type FoundEvent } from "./EventScan.ts"
import { eventWords, forwarders, type ProgramName } from "./EventWords.ts"
import { code, page, root, sourcesOf, table } from "./Sources.ts"

const families: Readonly<Record<ProgramName, ReadonlyArray<string>>> = {
  "peerstrap-m3db": ["packages/m3db-*", "apps/m3db-bootstrapper"],
  "peerstrap-chain": ["packages/chain-bootstrap", "packages/tezos-*", "apps/chain-bootstrapper"]
}
const shared = ["packages/{command-line,plugin-host,progress,transport,storage,consistency-policy,peer-selection}"]

const serving = "packages/chain-bootstrap/src/adapter/ServeChain.ts"
const engineEvents = "packages/chain-bootstrap/src/contract/ChainSync.ts"

/** `peer-KIND` for each of the engine's events that a server is told of, with that event's members. */
const servedEvents = (): ReadonlyArray<FoundEvent> => {
  const union = /onEvent\?: \(event: Extract<SyncEvent, \{ readonly kind: ([^}]+) \}>/.exec(
    readFileSync(join(root, serving), "utf8")
  )?.[1]
  const kinds = [...union?.matchAll(/"([\w-]+)"/g) ?? []].map((found) => found[1]!)
  if (kinds.length === 0) throw new Error(`${serving}: what is a server told of?`)
  const engine = readFileSync(join(root, engineEvents), "utf8")
  return kinds.map((kind) => {
    const variant = engine.slice(engine.indexOf(`readonly kind: "${kind}"`)).split("}")[0]!
    const fields = [...variant.matchAll(/readonly (\w+)\??:/g)].map((found) => found[1]!).filter((name) =>
      name !== "kind"
    )
    return { name: `peer-${kind}`, fields, byPlugin: false, path: serving, line: 1 }
  })
}

/** One row an event of a program; fields of all places that tell it. */
const rowsOf = (program: ProgramName): ReadonlyArray<ReadonlyArray<string>> => {
  const scans = sourcesOf(...shared, ...families[program]).map(({ path, text }) => eventsIn(path, text))
  for (const { line, path } of scans.flatMap(({ unnamed }) => unnamed)) {
    if (path in forwarders) continue
    throw new Error(
      `${path}:${line}: tells an event by a name that is not there; say in tools/reference/EventWords.ts where it is`
    )
  }
  // Events of plugins have their own names, with the plugin's beside them.
  const told = scans.flatMap(({ found }) => found).map((event) =>
    event.byPlugin ? { ...event, fields: ["plugin", ...event.fields ?? []] } : event
  )
  const found = [...told, ...(program === "peerstrap-chain" ? servedEvents() : [])]
  const byName = Map.groupBy(found, ({ name }) => name)
  const words = eventWords[program]
  const wordless = [...byName.keys()].filter((name) => words[name] === undefined)
  const gone = Object.keys(words).filter((name) => !byName.has(name))
  if (wordless.length + gone.length > 0) {
    throw new Error(
      `tools/reference/EventWords.ts, ${program}: without words: ${wordless.join(", ") || "none"}; told by nobody: ${
        gone.join(", ") || "none"
      }`
    )
  }
  return Object.entries(words).map(([name, says]) => {
    const fields = new Set(byName.get(name)!.flatMap(({ fields }) => fields ?? []))
    return [
      code(name),
      [...fields].map((field) => field === "…" ? "and others" : code(field)).join(", "),
      says
    ]
  })
}

export const eventsPage = (): string =>
  page(
    "Events",
    "With `--json` standard error carries JSON lines: snapshots ([metrics](metrics.md)) and events,\n" +
      "`{\"type\":\"event\",\"name\":…,\"at\":…,\"fields\":{…}}`; `at` is in milliseconds. Names are stable; further fields and names may come. Without `--json` those that matter to a person are told as sentences.",
    (Object.keys(families) as ReadonlyArray<ProgramName>).map((program) =>
      `## ${program}\n\n${table(["event", "fields", "says"], rowsOf(program))}`
    ).join("\n")
  )
