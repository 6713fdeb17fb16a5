/** The pages in `docs/reference` are what the code says; `npm run reference` writes them again. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { afterAll } from "vitest"
import { eventsIn } from "../tools/reference/EventScan.ts"
import { docBefore, membersOf } from "../tools/reference/Sources.ts"
import { root } from "./tidy/Repository.ts"

const pages = join(root, "docs", "reference")
const scratch = join(root, ".peerstrap", "reference")
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const PATH = `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"] ?? ""}`
const environment = { ...process.env, PATH, NODE_OPTIONS: "", CI: "true", NO_COLOR: "1" }

/** What the tool says, and its exit code. */
const compare = (folder: string): Promise<{ readonly code: number; readonly text: string }> =>
  new Promise((resolve) => {
    const args = ["--conditions=@peerstrap/source", "--disable-warning=ExperimentalWarning", "tools/reference.ts"]
    execFile(process.execPath, [...args, "--folder", folder], {
      cwd: root,
      env: environment
    }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: `${stdout}${stderr}` })
    })
  })

describe("docs/reference", () => {
  it("is what the code says", async () => {
    const { code, text } = await compare(pages)
    assert.strictEqual(code, 0, text)
    assert.include(text, "8 pages, all as the code says")
  })

  it("is noticed when it is not", async () => {
    mkdirSync(scratch, { recursive: true })
    cpSync(pages, scratch, { recursive: true })
    const changed = readFileSync(join(pages, "cli.md"), "utf8").replace("--memory", "--memories")
    writeFileSync(join(scratch, "cli.md"), changed)
    rmSync(join(scratch, "events.md"))
    const { code, text } = await compare(scratch)
    assert.strictEqual(code, 1)
    assert.match(text, /cli\.md: line \d+\n {4}page: .*--memories.*\n {4}code: .*--memory/)
    assert.include(text, "events.md: line 1")
    assert.include(text, "npm run reference")
    assert.notInclude(text, "errors.md")
  })

  it("says on each page what makes it", () => {
    const generated = readdirSync(pages).filter((name) => name !== "README.md")
    assert.isAtLeast(generated.length, 8)
    for (const name of generated) {
      const text = readFileSync(join(pages, name), "utf8")
      assert.include(text, "Generated from the code by `npm run reference`", name)
      assert.include(readFileSync(join(pages, "README.md"), "utf8"), `(${name})`)
    }
  })
})

const namesIn = (text: string) => eventsIn("a.ts", text).found.map(({ fields, name }) => ({ fields, name }))

/** A bootstrap and a sync on embedded peers, each with its JSON lines in a file. */
const runs = `
of() { node -p "const r = JSON.parse(fs.readFileSync('replicas.json')); $1"; }
peerstrap-lab replicas --series 50 --shards 2 --behaviour B:lack-series:5 --json > replicas.json & replicas=$!
peerstrap-lab chain --levels 30 --json < /dev/null > network.txt & chain=$!
trap 'kill $replicas $chain' EXIT
until [ -s replicas.json ] && [ -s network.txt ]; do sleep 0.1; done
peers=$(of 'r.replicas.map(({ id, address }) => "--peer " + id + "=" + address).join(" ")')
cluster="--namespace demo --num-shards 2 --block-size 2h --from $(of r.start) --to $(of r.end)"
peerstrap-m3db bootstrap $peers $cluster --out restored --json 2> peerstrap-m3db.jsonl
peerstrap-chain sync --network network.json --store chain --until level:30 --json 2> peerstrap-chain.jsonl
`

describe("docs/reference/events.md", () => {
  it("has every event that runs tell", async () => {
    const folder = join(scratch, "runs")
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    await new Promise<void>((resolve, reject) =>
      execFile(
        "bash",
        ["-euo", "pipefail", "-c", runs],
        { cwd: folder, env: environment },
        (error, _, stderr) => error === null ? resolve() : reject(new Error(stderr))
      )
    )
    const sections = readFileSync(join(pages, "events.md"), "utf8").split(/^## /m)
    for (const program of ["peerstrap-m3db", "peerstrap-chain"]) {
      const section = sections.find((text) => text.startsWith(program)) ?? ""
      const lines = readFileSync(join(folder, `${program}.jsonl`), "utf8").trim().split("\n")
      const told = new Set(
        lines.map((line) => JSON.parse(line)).filter(({ type }) => type === "event").map(({ name }) => name)
      )
      assert.isAtLeast(told.size, 4, program)
      assert.deepStrictEqual([...told].filter((name) => !section.includes(`| \`${name}\` |`)), [], program)
    }
  })
})

describe("what the pages are made of", () => {
  it("events: by name and fields, by a choice of names, as notices, as notes", () => {
    assert.deepStrictEqual(namesIn(`reporter.event("disk", { path: at(1, 2), freeBytes }, "text")`), [
      { name: "disk", fields: ["path", "freeBytes"] }
    ])
    assert.deepStrictEqual(namesIn(`core.notice({ kind: "invalid", level: 3 + 4, id, reason })`), [
      { name: "invalid", fields: ["level", "hash", "reason"] }
    ])
    assert.deepStrictEqual(namesIn(`emit({ _tag: "note", name: "job-ended", fields: { shard, ...more(a, b) } })`), [
      { name: "job-ended", fields: ["shard", "…"] }
    ])
    assert.deepStrictEqual(namesIn(`return void onNote?.("run-ended", { outcome: action.outcome._tag })`), [
      { name: "run-ended", fields: ["outcome"] }
    ])
    const forwarder = "emit({ _tag: \"note\", name, fields })"
    assert.deepStrictEqual(namesIn(`this.note(is ? "a-b" : "c", { peer: "x" }); ${forwarder}`), [
      { name: "a-b", fields: ["peer"] },
      { name: "c", fields: ["peer"] }
    ])
    assert.deepStrictEqual(namesIn(`this.note("unexpected", level)`), [])
  })

  it("events: those of plugins are known", () => {
    const text = "runtime.event(\"a\", {}); reporter.event(\"b\", {})"
    assert.deepStrictEqual(eventsIn("a.ts", text).found.map(({ byPlugin }) => byPlugin), [true, false])
  })

  it("events: a name that is not there is reported", () => {
    const { found, unnamed } = eventsIn("a.ts", "\nreporter.event(`peer-${kind}`, fields)")
    assert.deepStrictEqual(found, [])
    assert.deepStrictEqual(unnamed, [{ path: "a.ts", line: 2 }])
  })

  it("doc comments and members", () => {
    const text = "/** Far. */\nconst a = 1\n\n/**\n * Two\n * lines.\n */\nexport interface A {\n  /** How many. */\n" +
      "  readonly count?: number\n  readonly list: ReadonlyArray<B>\n}\n"
    assert.strictEqual(docBefore(text, text.indexOf("export")), "Two lines.")
    assert.strictEqual(docBefore(text, text.indexOf("readonly list")), "")
    assert.deepStrictEqual(membersOf(text, "A"), [
      { name: "count", type: "number", optional: true, doc: "How many." },
      { name: "list", type: "ReadonlyArray<B>", optional: false, doc: "" }
    ])
    assert.throws(() => membersOf(text, "B"), /no interface B/)
  })
})
