/**
 * All benchmarks with goals, one after another, shortened so that they end within ten minutes on two cores; one table at the end, and a
 * JSON file with everything. What the time does not suffice for is named. A figure that counts has ten pairs: run its benchmark alone.
 * Usage: npm run bench [-- --list] [-- --json] [-- --minutes 10]
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { machine, machineLine } from "./Machine.ts"
import { defaultDirectory, progress } from "./Options.ts"
import { type BenchDocument, rowsOf, type TableRow, tableText } from "./Table.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** Name and shortened arguments, the most wanted first. */
const plan: ReadonlyArray<readonly [name: string, args: ReadonlyArray<string>]> = [
  ["S1", ["--pairs=3", "--mib=64", "--bytes=200,4096"]],
  ["S2", ["--pairs=3", "--mib=64", "--bytes=200,4096"]],
  ["S3", ["--pairs=3", "--mib=64", "--bytes=200,4096"]],
  ["S4", ["--pairs=3"]],
  ["S5", ["--pairs=3"]],
  ["S6", ["--pairs=3"]],
  ["S10", ["--pairs=3", "--mib=64", "--bytes=200,4096"]],
  ["S14", ["--pairs=5"]],
  ["Memory", ["--pairs=1", "--series=200000"]],
  ["S9", ["--pairs=1"]],
  ["L2", ["--pairs=1"]],
  ["Engine", ["--pairs=1"]],
  ["S7", ["--pairs=2"]],
  ["S8", ["--pairs=1"]],
  ["Wire", ["--pairs=2", "--mib=64"]]
]

const flags = ["--conditions=@peerstrap/source", "--expose-gc"]

const files = (): ReadonlyArray<string> => {
  const packages = join(root, "packages")
  const folders = [join(root, "bench"), ...readdirSync(packages).map((name) => join(packages, name, "bench"))]
  return folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder).filter((name) => name.endsWith(".ts")).toSorted().map((name) => join(folder, name))
  )
}

/** First sentence of the comment that a file begins with. */
const purpose = (file: string): string => {
  const [, block, lines] = /^(?:\/\*\*([\s\S]*?)\*\/|((?:\/\/.*\n)+))/.exec(readFileSync(file, "utf8")) ?? []
  const comment = block?.replace(/\s*\n \* ?/g, " ") ?? lines?.replace(/\n?\/\/ /g, " ") ?? ""
  return comment.trim().split(/[.:;](?= |$)/).slice(0, 2).join(":")
}

const list = (): void => {
  const inAll = new Set(plan.map(([name]) => name))
  const rows = files().map((file) => [basename(file).replace(/(\.bench)?\.ts$/, ""), purpose(file)] as const)
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, says] of rows) console.log(`${inAll.has(name) ? "*" : " "} ${name.padEnd(width)}  ${says}`)
  console.log("\n* is run, shortened, when no name is given")
}

/** The document of one benchmark, or why there is none. */
const run = async (
  name: string,
  args: ReadonlyArray<string>,
  mostMillis: number
): Promise<BenchDocument | { readonly problem: string }> => {
  const child = spawn(process.execPath, [...flags, join(root, "bench", `${name}.ts`), ...args, "--json"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    timeout: Math.max(1, Math.floor(mostMillis))
  })
  const [out, [code, signal]] = await Promise.all([text(child.stdout), once(child, "close")])
  if (signal === "SIGTERM" || code === 143) return { problem: "the time was up" }
  return code === 0 ? JSON.parse(out) as BenchDocument : { problem: `it ended with ${code ?? signal}` }
}

const runAll = async (minutes: number, json: boolean): Promise<void> => {
  const measuredOn = machine()
  const measuredAt = new Date().toISOString()
  const began = performance.now()
  const documents: Record<string, BenchDocument> = {}
  const rows: Array<TableRow> = []
  const notMeasured: Array<string> = []
  for (const [name, args] of plan) {
    const left = minutes * 60_000 - (performance.now() - began)
    if (left <= 0) {
      notMeasured.push(`${name}: the time was up`)
      continue
    }
    progress(`== ${name} ${args.join(" ")} (${((performance.now() - began) / 1000).toFixed(0)} s)`)
    const document = await run(name, args, left)
    if ("problem" in document) {
      notMeasured.push(`${name}: ${document.problem}`)
      if (document.problem !== "the time was up") process.exitCode = 1
      continue
    }
    documents[name] = document
    rows.push(...rowsOf(document))
  }
  const whole = { measuredAt, machine: measuredOn, rows, notMeasured, documents }
  mkdirSync(defaultDirectory, { recursive: true })
  const file = join(defaultDirectory, `${measuredAt.replaceAll(/[:.]/g, "-")}.json`)
  writeFileSync(file, `${JSON.stringify(whole)}\n`)
  if (json) return console.log(JSON.stringify(whole))
  console.log(`${machineLine(measuredOn)}\n\n${tableText(rows)}`)
  if (notMeasured.length > 0) console.log(`\nnot measured: ${notMeasured.join("; ")}`)
  console.log(`\nShortened runs: for a figure that counts, npm run bench -- NAME. All of it: ${file}`)
}

const { values } = parseArgs({
  options: {
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    minutes: { type: "string", default: "10" },
    help: { type: "boolean", default: false, short: "h" }
  }
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new RangeError(`--minutes needs a number above 0, got "${values.minutes}"`)

if (values.help) {
  console.log("npm run bench -- [--minutes 10] [--json]   all that have goals, shortened, in one table")
  console.log("npm run bench -- --list                    names all there are")
  console.log("npm run bench -- NAME [--pairs N] [--json] one of them; bench/README.md has its other flags")
} else if (values.list) list()
else await runAll(minutes, values.json)
