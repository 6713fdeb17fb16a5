/** Runs what the READMEs and the documents show, every block marked `runnable`, and every program in `examples`, as a reader would, under Node 24. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join, relative } from "node:path"
import { root, workspaceFolders } from "./tidy/Repository.ts"

interface Block {
  readonly language: "ts" | "sh"
  readonly text: string
  /** The line of its first line of code, from 1. */
  readonly line: number
}

/** The blocks of a Markdown text whose info string is exactly `ts runnable` or `sh runnable`. */
const runnableBlocks = (markdown: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  const lines = markdown.split("\n")
  for (let i = 0; i < lines.length; i++) {
    const fence = /^(`{3,})(.*)$/.exec(lines[i]!)
    if (fence === null) continue
    const end = lines.findIndex((line, at) => at > i && line.trimEnd() === fence[1])
    const last = end < 0 ? lines.length : end
    const language = /^(ts|sh) runnable$/.exec(fence[2]!)?.[1]
    if (language === "ts" || language === "sh") {
      blocks.push({ language, text: lines.slice(i + 1, last).join("\n") + "\n", line: i + 2 })
    }
    i = last
  }
  return blocks
}

/** Files that a page shows by name, `yaml file run.yaml`: they lie beside each of its runnable blocks. */
const filesIn = (markdown: string): ReadonlyMap<string, string> =>
  new Map([...markdown.matchAll(/^```\w+ file (\S+)\n(.*?)^```$/gms)].map((found) => [found[1]!, found[2]!]))

const limitMillis = 60_000
const scratch = join(root, ".peerstrap", "examples")

/** Standard output of a program that ends well. */
const run = (command: string, args: ReadonlyArray<string>, cwd: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const PATH = `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"] ?? ""}`
    const env = { ...process.env, PATH, NODE_OPTIONS: "", CI: "true", NO_COLOR: "1" }
    execFile(command, args, { cwd, env, timeout: limitMillis, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const cause = error.killed === true ? `took longer than ${limitMillis / 1000} s` : `exit code ${error.code}`
      reject(new Error(`${cause}\n${stdout}\n${stderr}`))
    })
  })

const runProgram = (file: string, cwd: string): Promise<string> =>
  run(process.execPath, ["--conditions=@peerstrap/source", "--disable-warning=ExperimentalWarning", file], cwd)

const execute = (name: string, block: Block, files: ReadonlyMap<string, string> = new Map()): Promise<string> => {
  const folder = join(scratch, name)
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of files) writeFileSync(join(folder, file), text)
  if (block.language === "sh") return run("bash", ["-euo", "pipefail", "-c", block.text], folder)
  const file = join(folder, "example.ts")
  writeFileSync(file, block.text)
  return runProgram(file, folder)
}

const failure = (name: string, language: Block["language"], text: string): Promise<string> =>
  execute(name, { language, text, line: 1 }).then(() => "passed", (error: Error) => error.message)

const markdownUnder = (folder: string): ReadonlyArray<string> =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
      .map((name) => join(folder, name))
    : []

const documents = [
  "README.md",
  ...workspaceFolders().map((folder) => `${folder}/README.md`),
  ...["docs", "examples", "bench", "interop"].flatMap(markdownUnder)
].filter((path) => existsSync(join(root, path))).toSorted()

describe("examples", () => {
  it("finds marked blocks only", () => {
    const text =
      "a\n```ts\nno\n```\n```ts runnable\nyes\n```\n````md\n```ts runnable\nno\n```\n````\n```sh runnable\nls\n\nls\n```\n"
    assert.deepStrictEqual(runnableBlocks(text), [
      { language: "ts", text: "yes\n", line: 6 },
      { language: "sh", text: "ls\n\nls\n", line: 14 }
    ])
  })

  it("finds files that are shown by name", () => {
    const text = "a\n```yaml file run.yaml\na: 1\n```\n```ts\nno\n```\n```ts file A.ts\nb\n\nc\n```\n"
    assert.deepStrictEqual([...filesIn(text)], [["run.yaml", "a: 1\n"], ["A.ts", "b\n\nc\n"]])
  })

  it("notices an example that fails", async () => {
    const ts = "import assert from \"node:assert/strict\"\nassert.equal(1 as number, 2)\n"
    assert.include(await failure("self-test-ts", "ts", ts), "exit code 1")
    assert.include(await failure("self-test-sh", "sh", "false\ntrue\n"), "exit code 1")
    assert.strictEqual(
      await failure("self-test-node", "sh", "node -e 'process.exit(+(process.version < \"v24\"))'\n"),
      "passed"
    )
  })

  for (const folder of workspaceFolders().filter((each) => each.startsWith("packages/"))) {
    it(`${folder}/README.md has a runnable block`, () => {
      const readme = join(root, folder, "README.md")
      assert.isTrue(existsSync(readme), "there is no README.md")
      assert.isAbove(runnableBlocks(readFileSync(readme, "utf8")).length, 0, "no block is marked \"ts runnable\"")
    })
  }

  for (const path of documents) {
    const text = readFileSync(join(root, path), "utf8")
    for (const block of runnableBlocks(text)) {
      it.concurrent(`${relative(".", path)}:${block.line} (${block.language})`, () =>
        execute(`${path.replaceAll(/[^\w.-]/g, "_")}-${block.line}`, block, filesIn(text)))
    }
  }
})

/** What the README of an example says that a program prints, by the program: blocks whose info string is `text PROGRAM.ts`. */
const outputsIn = (markdown: string): ReadonlyMap<string, string> =>
  new Map([...markdown.matchAll(/^```text (\S+\.ts)\n(.*?)^```$/gms)].map((found) => [found[1]!, found[2]!]))

/** Whether a line is what a line of a README says, in which `…` stands for anything. */
const fits = (line: string, expected: string): boolean =>
  new RegExp(`^${expected.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&").replaceAll("…", ".*")}$`).test(line)

/** What was printed, each line as the README has it wherever it fits. */
const asExpected = (printed: string, expected: string): string => {
  const lines = expected.split("\n")
  return printed.split("\n").map((line, at) => fits(line, lines[at] ?? "") ? lines[at] : line).join("\n")
}

const maxExampleLines = 150

const examples = readdirSync(join(root, "examples")).filter((name) => /^\d\d-/.test(name)).toSorted()

/** Every TypeScript file of an example but its tests and what they need. */
const modulesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.startsWith("test/") && !name.includes("node_modules"))
    .toSorted()

/** Programs begin with a lower-case letter, modules with a capital. */
const isProgram = (name: string): boolean => /^[a-z]/.test(name)

const linesOf = (file: string): ReadonlyArray<string> => readFileSync(file, "utf8").trimEnd().split("\n")

describe("the programs in examples", () => {
  it("are compared with what their README says", () => {
    const outputs = outputsIn("a\n```text main.ts\none (1)\ntwo …\n```\n```text\nno\n```\n")
    assert.deepStrictEqual([...outputs], [["main.ts", "one (1)\ntwo …\n"]])
    const expected = outputs.get("main.ts")!
    assert.strictEqual(asExpected("one (1)\ntwo 2 3\n", expected), expected)
    for (const other of ["one (1)\ntwo 2\nthree\n", "one 1\ntwo 2\n", "zero\none (1)\ntwo 2\n", "one (1)\n"]) {
      assert.notStrictEqual(asExpected(other, expected), expected)
    }
  })

  it("are in folders 01, 02, …, all of them told in examples/README.md, and nowhere else", () => {
    assert.isAtLeast(examples.length, 11)
    assert.deepStrictEqual(
      examples.map((name) => name.slice(0, 2)),
      examples.map((_, at) => String(at + 1).padStart(2, "0"))
    )
    const contents = readFileSync(join(root, "examples", "README.md"), "utf8")
    assert.deepStrictEqual(examples.filter((name) => !contents.includes(`](${name}/README.md)`)), [])
    const loose = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"))
    assert.deepStrictEqual(loose, [])
  })

  for (const name of examples) {
    const folder = join(root, "examples", name)
    const modules = modulesOf(folder)
    const programs = modules.filter(isProgram)
    const readme = readFileSync(join(folder, "README.md"), "utf8")
    const outputs = outputsIn(readme)

    it(`examples/${name} is short, and its README names every file, says how to run it and what is seen`, () => {
      const lines = modules.reduce((sum, file) => sum + linesOf(join(folder, file)).length, 0)
      assert.isAtMost(lines, maxExampleLines, "lines of TypeScript")
      assert.deepStrictEqual(modules.filter((file) => !readme.includes(file)), [], "files that the README leaves out")
      assert.include(readme, `npm run example -- ${name.slice(0, 2)}`)
      assert.isAbove(programs.length, 0)
      assert.deepStrictEqual([...outputs.keys()].toSorted(), [...programs])
      for (const heading of ["## Run it", "## What you see", "## What to change next"]) assert.include(readme, heading)
    })

    for (const file of programs) {
      it.concurrent(`examples/${name}/${file} asserts, and prints what its README says`, async () => {
        assert.isTrue(linesOf(join(folder, file)).some((line) => /^\s*assert[.(]/.test(line)), "it asserts nothing")
        const cwd = join(scratch, "programs")
        mkdirSync(cwd, { recursive: true })
        const expected = outputs.get(file) ?? ""
        assert.strictEqual(asExpected(await runProgram(join(folder, file), cwd), expected), expected)
        assert.deepStrictEqual(readdirSync(cwd), [], "files it leaves where it is run")
      })
    }
  }
})

/** Short names of test files, and what is cited of each: `SR "name"`. */
const citationsOf = (markdown: string) => {
  const files = new Map(
    [...markdown.matchAll(/^\| ([A-Z]+) \| (\S+\.ts) \|$/gm)].map((found) => [found[1]!, found[2]!])
  )
  const cited = [...markdown.matchAll(/\b([A-Z]{2,4}) "([^"]+)"/g)].map((found) => ({
    short: found[1]!,
    name: found[2]!
  }))
  return { files, cited }
}

describe("links", () => {
  for (const path of documents) {
    it(`${path} links to files that exist`, () => {
      const links = [...readFileSync(join(root, path), "utf8").matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)]
      const dead = links.map((found) => found[1]!).filter((target) => !existsSync(join(root, path, "..", target)))
      assert.deepStrictEqual(dead, [])
    })
  }
})

/** Rows of tables by what their first column holds: `R1`, `A39`. */
const rowsOf = (markdown: string, letter: string): ReadonlyArray<ReadonlyArray<string>> =>
  markdown.split("\n").map((line) => line.split(" | ").map((cell) => cell.replaceAll(/^\| | \|$/g, ""))).filter((
    [first]
  ) => new RegExp(`^${letter}[0-9]+$`).test(first ?? ""))

describe("citations of tests", () => {
  it("are found", () => {
    assert.deepStrictEqual(citationsOf("| AB | x/y.test.ts |\n| one | AB \"it works\" · AB \"too\" |\n"), {
      files: new Map([["AB", "x/y.test.ts"]]),
      cited: [{ short: "AB", name: "it works" }, { short: "AB", name: "too" }]
    })
    assert.deepStrictEqual(rowsOf("| # | what |\n| R1 | one | a |\n| A1 | no |\n| R12 | two | b |\n", "R"), [
      ["R1", "one", "a"],
      ["R12", "two", "b"]
    ])
  })

  for (const path of ["docs/peer-streaming.md", "docs/chain-requirements.md"]) {
    it(`${path} names tests that exist`, () => {
      const { cited, files } = citationsOf(readFileSync(join(root, path), "utf8"))
      assert.isAtLeast(cited.length, 100)
      const texts = new Map([...files].map(([short, file]) => [short, readFileSync(join(root, file), "utf8")]))
      const wrong = cited.filter(({ name, short }) => texts.get(short)?.includes(name) !== true)
      assert.deepStrictEqual(wrong, [])
      const unused = [...files.keys()].filter((short) => cited.every((one) => one.short !== short))
      assert.deepStrictEqual(unused, [])
    })
  }
})

describe("docs/chain-requirements.md", () => {
  const text = readFileSync(join(root, "docs/chain-requirements.md"), "utf8")

  for (const [letter, count] of [["R", 126], ["A", 39], ["I", 14], ["W", 7]] as const) {
    it(`has each of ${letter}1 to ${letter}${count} exactly once, with a test or the reason why there is none`, () => {
      const rows = rowsOf(text, letter)
      assert.deepStrictEqual(
        rows.map(([first]) => first),
        Array.from({ length: count }, (_, at) => `${letter}${at + 1}`)
      )
      const bare = rows.filter(([, , test]) =>
        citationsOf(test ?? "").cited.length === 0 && test?.startsWith("none: ") !== true
      )
      assert.deepStrictEqual(bare, [])
    })
  }

  it("names places that exist", () => {
    const places = rowsOf(text, "R").flatMap((row) => row[3]?.split(", ") ?? [])
    assert.isAtLeast(places.length, 126)
    const dead = places.filter((place) =>
      !existsSync(join(root, "packages", place)) &&
      !existsSync(join(root, "packages/chain-bootstrap/src", `${place}.ts`))
    )
    assert.deepStrictEqual(dead, [])
  })
})
