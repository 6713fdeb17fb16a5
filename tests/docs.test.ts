/** What the documents show compiles, and their links lead to headings that exist. `examples.test.ts` runs what they show. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, join, normalize } from "node:path"
import { afterAll } from "vitest"
import { root, workspaceFolders } from "./tidy/Repository.ts"

const pages = globSync("docs/**/*.md", { cwd: root }).toSorted()
const read = (path: string): string => readFileSync(join(root, path), "utf8")

const scratch = join(root, ".peerstrap", "documents")
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** TypeScript of a page: blocks that are run, and files that are shown by name. */
const modulesIn = (markdown: string): ReadonlyMap<string, string> =>
  new Map(
    [...markdown.matchAll(/^```ts (?:runnable|file (\S+))\n(.*?)^```$/gms)].map((found, at) => [
      found[1] ?? `block${at + 1}.ts`,
      found[2]!
    ])
  )

const tsconfig = {
  extends: "../../tests/tsconfig.json",
  compilerOptions: { rootDir: "../..", customConditions: ["@peerstrap/source"] },
  include: ["."]
}

/** What the compiler says of the modules, each in a folder of its page. */
const compile = (modules: ReadonlyArray<readonly [page: string, modules: ReadonlyMap<string, string>]>) => {
  rmSync(scratch, { recursive: true, force: true })
  for (const [page, files] of modules) {
    const folder = join(scratch, page.replaceAll(/[^\w.-]/g, "_"))
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of files) writeFileSync(join(folder, name), text)
  }
  writeFileSync(join(scratch, "tsconfig.json"), JSON.stringify(tsconfig))
  return new Promise<ReadonlyArray<string>>((resolve) => {
    const PATH = `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"] ?? ""}`
    const args = [join(root, "tools", "tsc.cjs"), "-p", join(scratch, "tsconfig.json")]
    execFile(
      process.execPath,
      args,
      { cwd: root, env: { ...process.env, PATH, NODE_OPTIONS: "" } },
      (_, stdout) =>
        resolve(stdout.split("\n").filter((line) => line.includes("documents/") && /\b(error|warning) TS/.test(line)))
    )
  })
}

/** As GitHub makes them of headings. */
const anchorOf = (heading: string): string =>
  heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, "").trim().replaceAll(" ", "-")

const anchorsIn = (markdown: string): ReadonlySet<string> => {
  const text = markdown.replaceAll(/^```.*?^```$/gms, "")
  return new Set([...text.matchAll(/^#+ (.*)$/gm)].map((found) => anchorOf(found[1]!)))
}

/** Links with an anchor whose page has no such heading. */
const deadAnchors = (path: string, markdown: string): ReadonlyArray<string> =>
  [...markdown.matchAll(/\]\(([^)#:\s]*)#([^)\s]+)\)/g)].flatMap((found) => {
    const target = found[1] === "" ? path : normalize(join(path, "..", found[1]!))
    return target.endsWith(".md") && !anchorsIn(read(target)).has(found[2]!) ? [`${found[1]}#${found[2]}`] : []
  })

describe("TypeScript in the documents", () => {
  it("is found", () => {
    const text = "```ts file A.ts\na\n```\n```ts\nno\n```\n```ts runnable\nb\n```\n```sh runnable\nno\n```\n"
    assert.deepStrictEqual([...modulesIn(text)], [["A.ts", "a\n"], ["block2.ts", "b\n"]])
  })

  it("compiles", async () => {
    const modules = pages.map((page) => [page, modulesIn(read(page))] as const).filter(([, files]) => files.size > 0)
    assert.isAtLeast(modules.length, 8)
    assert.deepStrictEqual(await compile(modules), [])
    const wrong = await compile([["wrong.md", new Map([["A.ts", "export const a: string = 1\n"]])]])
    assert.match(wrong.join("\n"), /wrong\.md\/A\.ts\(1,14\): error TS2322/)
  })
})

describe("anchors", () => {
  it("are those of headings", () => {
    assert.deepStrictEqual([...anchorsIn("# A `b.c`: d\n```sh\n# no\n```\n## E\n")], ["a-bc-d", "e"])
    assert.deepStrictEqual(deadAnchors("README.md", "[x](#packages) [y](docs/concepts.md#no-such) [z](#nor-this)"), [
      "docs/concepts.md#no-such",
      "#nor-this"
    ])
  })

  for (const path of ["README.md", ...workspaceFolders().map((folder) => `${folder}/README.md`), ...pages]) {
    it(`${path} leads to headings that exist`, () => assert.deepStrictEqual(deadAnchors(path, read(path)), []))
  }
})
