/** Modules from outside, as real packages in a folder: whatever Node can import from the config's folder, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { fromConfig, loadPlugins } from "../src/index.ts"

/** What has the shape of a plugin. */
const shape = (id: string): string =>
  `Object.assign(() => {}, { id: ${JSON.stringify(id)}, host: 1, layer() {}, config: {}, provides: [], requires: [] })`

const files: Readonly<Record<string, string>> = {
  "node_modules/esm-only/package.json":
    `{"name": "esm-only", "exports": {".": {"import": "./plugin.mjs"}, "./*": {"import": "./more/*.mjs"}}}`,
  "node_modules/esm-only/plugin.mjs": `export const sink = ${shape("esm.only")}`,
  "node_modules/esm-only/more/other.mjs": `export const sink = ${shape("esm.other")}`,
  "node_modules/dual/package.json":
    `{"name": "dual", "exports": {"import": "./plugin.mjs", "require": "./plugin.cjs"}}`,
  "node_modules/dual/plugin.mjs": `export const sink = ${shape("dual.import")}`,
  "node_modules/dual/plugin.cjs": `exports.sink = ${shape("dual.require")}`,
  "node_modules/plain-cjs/package.json": `{"name": "plain-cjs", "main": "lib"}`,
  "node_modules/plain-cjs/lib/index.js": `exports.sink = ${shape("cjs.plain")}`,
  // Node's reading of names in CommonJS does not see these.
  "node_modules/hidden-cjs/index.js": `const all = { sink: ${
    shape("cjs.hidden")
  } }\nmodule.exports = Object.assign({}, all)`,
  "node_modules/@scoped/sink/package.json": `{"name": "@scoped/sink", "type": "module", "exports": "./index.js"}`,
  "node_modules/@scoped/sink/index.js": `export default ${shape("scoped.default")}`,
  "node_modules/closed/package.json": `{"name": "closed", "exports": {"./x": "./x.js"}}`,
  "fs.mjs": `const sink = ${shape("file.fs")}\nexport { sink }\nexport default { sink, list: [${
    shape("file.listed")
  }] }`
}

const inFolder = async (run: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "peerstrap-load-")))
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    await run(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const found = async (folder: string, from: string): Promise<ReadonlyArray<string> | string> => {
  const loaded = await Effect.runPromise(loadPlugins(from, join(folder, "config.yaml")))
  return "plugins" in loaded ? loaded.plugins.map(({ id }) => id) : `${loaded.failure}; ${loaded.remedy}`
}

const remedy = (name: string): string =>
  `write from: ./${name} for a file beside the config, or the name of an npm package`

describe("loadPlugins", () => {
  it("loads what Node imports from the folder of the config", () =>
    inFolder(async (folder) => {
      assert.deepStrictEqual(await found(folder, "esm-only"), ["esm.only"])
      assert.deepStrictEqual(await found(folder, "esm-only/other"), ["esm.other"])
      assert.deepStrictEqual(await found(folder, "dual"), ["dual.import"])
      assert.deepStrictEqual(await found(folder, "plain-cjs"), ["cjs.plain"])
      assert.deepStrictEqual(await found(folder, "hidden-cjs"), ["cjs.hidden"])
      assert.deepStrictEqual(await found(folder, "@scoped/sink"), ["scoped.default"])
      assert.deepStrictEqual(await found(folder, "./fs.mjs"), ["file.fs", "file.listed"])
      assert.deepStrictEqual(await found(folder, join(folder, "fs.mjs")), ["file.fs", "file.listed"])
    }))

  it("says why it loads nothing else, and what to do", () =>
    inFolder(async (folder) => {
      for (const name of ["fs", "node:fs", "fs/promises"]) {
        assert.strictEqual(
          await found(folder, name),
          `it is a module of Node itself, which has no plugins; ${remedy(name.replace("node:", ""))}`
        )
      }
      for (const name of ["data:text/javascript,export default 1", "https://example.com/x.mjs"]) {
        const want = "it is neither a file nor an npm package; write from: ./FILE.ts or from: PACKAGE"
        assert.strictEqual(await found(folder, name), want)
      }
      const absent = await found(folder, "absent-package")
      assert.strictEqual(
        absent,
        `Cannot find package 'absent-package' imported from ${join(folder, "config")}; install it, or mend its name`
      )
      assert.match(
        String(await found(folder, "closed")),
        /^No "exports" main defined in .*; install it, or mend its name$/
      )
      const error = await Effect.runPromise(
        Effect.flip(fromConfig([], "plugins:\n  - { use: x, from: fs }\n", { path: join(folder, "c.yaml"), needs: [] }))
      )
      assert.deepStrictEqual(error.problems, [{
        kind: "cannot-load",
        where: `${folder}/c.yaml:2:21`,
        message: "cannot load fs: it is a module of Node itself, which has no plugins",
        remedy: remedy("fs")
      }])
    }))

  it("says what is wrong with a file, and what to do about that", () =>
    inFolder(async (folder) => {
      const cases = [
        ["absent.mjs", undefined, /^there is no file \/.*\/absent\.mjs; mend the path$/],
        ["syntax.mjs", "export const = 3", /^\S.*; mend the file$/],
        ["types.ts", "export const = 3", /^\S.*; mend the file$/],
        [
          "enum.ts",
          "export enum Colour { Red }",
          /^TypeScript enum is not supported.*; write it without enums, .*: types are stripped, not compiled$/
        ],
        ["throws.mjs", "throw new Error(\"oops\")", /^oops; mend the file$/],
        ["nothing.mjs", "throw undefined", /^undefined; mend the file$/],
        ["part.mjs", "import \"./gone.mjs\"", /^Cannot find module .*gone\.mjs.*; mend the file's imports$/],
        [
          "package.mjs",
          "import \"absent-package\"",
          /^Cannot find package 'absent-package' imported from .*; install it in a node_modules beside the file, or above$/
        ]
      ] as const
      for (const [name, text] of cases) if (text !== undefined) await writeFile(join(folder, name), text)
      // In a process of its own: the runner of tests loads modules in a way of its own, with other errors.
      const script = `
        import { loadPlugins } from ${JSON.stringify(fileURLToPath(new URL("../src/index.ts", import.meta.url)))}
        import * as Effect from ${JSON.stringify(import.meta.resolve("effect/Effect"))}
        for (const name of ${JSON.stringify(cases.map(([name]) => name))}) {
          const { failure, remedy } = await Effect.runPromise(loadPlugins("./" + name, "config.yaml"))
          console.log(failure.replaceAll("\\n", " ") + "; " + remedy)
        }`
      const argv = ["--conditions=@peerstrap/source", "--input-type=module", "--eval", script]
      const { stderr, stdout } = spawnSync(process.execPath, argv, { cwd: folder, encoding: "utf8" })
      const said = stdout.trimEnd().split("\n")
      assert.strictEqual(said.length, cases.length, stderr)
      cases.forEach(([name, , says], at) => assert.match(said[at]!, says, name))
    }), 30_000)

  it(
    "writes no warning, leaves the resolution of other modules as it was, and looks from the working directory for a pipe",
    () =>
      inFolder(async (folder) => {
        const source = fileURLToPath(new URL("../src/adapter/LoadPlugins.ts", import.meta.url))
        const run = (configPath: string, cwd: string) => {
          const script = `
          import { loadPlugins } from ${JSON.stringify(source)}
          import * as Effect from ${JSON.stringify(import.meta.resolve("effect/Effect"))}
          const loaded = await Effect.runPromise(loadPlugins("dual", ${JSON.stringify(configPath)}))
          let after = "found"
          try { import.meta.resolve("dual") } catch { after = "not found" }
          console.log(loaded.plugins?.map(({ id }) => id).join() ?? loaded.failure, after)`
          const argv = ["--conditions=@peerstrap/source", "--input-type=module", "--eval", script]
          const { stderr, stdout } = spawnSync(process.execPath, argv, { cwd, encoding: "utf8" })
          return [stdout, stderr]
        }
        assert.deepStrictEqual(run(join(folder, "config.yaml"), dirname(source)), ["dual.import not found\n", ""])
        for (const pipe of ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/0"]) {
          assert.deepStrictEqual(run(pipe, folder), ["dual.import found\n", ""])
        }
      }),
    30_000
  )
})
