import { assert, describe, it } from "@effect/vitest"
import { importsOf } from "./tidy/Imports.ts"
import { moduleOf, readRepository, type Repository, type Workspace } from "./tidy/Repository.ts"
import * as Rules from "./tidy/Rules.ts"

const repository = readRepository()

const workspace = (name: string, files: Record<string, string>, more: Partial<Workspace> = {}): Workspace => ({
  folder: `packages/${name}`,
  name: `@peerstrap/${name}`,
  dependencies: [],
  devDependencies: [],
  modules: Object.entries(files).map(([path, text]) => moduleOf(`packages/${name}/${path}`, text)),
  hasReadme: true,
  sourceReferences: [],
  testReferences: [`packages/${name}`],
  ...more
})

const planted = (...workspaces: ReadonlyArray<Workspace>): Repository => ({
  workspaces,
  rootDependencies: ["vitest"],
  otherModules: []
})

const lines = (count: number) => "const x = 1\n".repeat(count)

/** For each rule: sources that break it, with the number of violations, and sources close to them that do not. */
const cases: ReadonlyArray<readonly [keyof typeof Rules, Repository, number, Repository]> = [
  [
    "folderOrder",
    planted(workspace("a", {
      "src/contract/A.ts": "import type { B } from \"../engine/B.ts\"",
      "src/engine/B.ts": "import { C } from\n  \"../adapter/C.ts\"\nexport * from \"../index.ts\"",
      "src/adapter/C.ts": "const d = await import(\"../testing/D.ts\"); import e from \"../../../b/src/index.ts\"",
      "src/codec/E.ts": "import \"../../test/x.ts\""
    })),
    6,
    planted(workspace("a", {
      "src/contract/A.ts": "import { Limits } from \"./Limits.ts\"",
      "src/engine/B.ts": "import { A } from \"../contract/A.ts\"; import { c } from \"../codec/C.ts\"",
      "src/testing/index.ts": "import * as all from \"../index.ts\"; import { C } from \"../adapter/C.ts\"",
      "src/index.ts": "export { C } from \"./adapter/C.ts\"\n// import \"./testing/index.ts\"",
      "test/a.test.ts": "import \"../src/index.ts\""
    }))
  ],
  [
    "declaredDependencies",
    planted(workspace("a", {
      "src/A.ts": "import x from \"vitest\"; import y from \"@peerstrap/b/testing\"",
      "test/a.test.ts": "import z from \"@peerstrap/c\""
    }, { devDependencies: ["@peerstrap/b"] })),
    3,
    planted(workspace("a", {
      "src/A.ts": "import \"node:fs\"; import { x } from \"effect/Effect\"; const s = `import \"y\"`",
      "test/a.test.ts": "import \"vitest\"; import \"@peerstrap/b\"; import \"@peerstrap/a/testing\""
    }, { dependencies: ["effect"], devDependencies: ["@peerstrap/b"] }))
  ],
  [
    "noPackageCycle",
    planted(
      workspace("a", {}, { dependencies: ["@peerstrap/b"] }),
      workspace("b", {}, { devDependencies: ["@peerstrap/a"] })
    ),
    1,
    planted(
      workspace("a", {}, { dependencies: ["@peerstrap/b", "@peerstrap/c"] }),
      workspace("b", {}, { dependencies: ["@peerstrap/c"] }),
      workspace("c", {})
    )
  ],
  [
    "familiesApart",
    planted(
      workspace("m3db-x", { "src/A.ts": "import \"@peerstrap/tezos-wire\"" }, { dependencies: ["@peerstrap/chain-x"] }),
      workspace("chain-bootstrap", { "src/A.ts": "import \"@peerstrap/tezos-wire\"" })
    ),
    3,
    planted(
      workspace("m3db-x", { "src/A.ts": "import \"@peerstrap/m3db-wire\"" }),
      workspace("tezos-bootstrap", { "src/A.ts": "import \"@peerstrap/chain-bootstrap\"" }),
      workspace("lab", { "src/A.ts": "import \"@peerstrap/chain-bootstrap\"; import \"@peerstrap/m3db-wire\"" })
    )
  ],
  [
    "pureFoldersImportNoRuntime",
    planted(workspace("a", {
      "src/engine/A.ts": "import * as net from \"node:net\"; import * as Effect from \"effect/Effect\"",
      "src/codec/B.ts": "import { type Stream } from \"effect/Stream\"; import { readFile } from \"fs/promises\"",
      "src/contract/C.ts": "import \"node:timers/promises\""
    })),
    5,
    planted(workspace("a", {
      "src/engine/A.ts": "import type * as Effect from \"effect/Effect\"; import { crc32 } from \"node:zlib\"",
      "src/contract/C.ts": "import * as Context from \"effect/Context\"; import * as Schema from \"effect/Schema\"",
      "src/adapter/D.ts": "import * as net from \"node:net\"; import * as Layer from \"effect/Layer\""
    }))
  ],
  [
    "pureFoldersReadNoClock",
    planted(workspace("a", {
      "src/engine/A.ts": "const a = Date.now() + Math\n  .random(); const b = `${performance.now()}`",
      "src/codec/B.ts": "setTimeout(() => new Date(), 1)"
    })),
    5,
    planted(workspace("a", {
      "src/engine/A.ts": "// Date.now()\nconst a = \"Math.random\"; const b = new Date(millis); clock.setTimeout(1)",
      "src/adapter/B.ts": "setTimeout(f, Date.now())"
    }))
  ],
  [
    "noConcat",
    planted(workspace("transport", { "src/codec/A.ts": "const all = Buffer.concat(chunks)" })),
    1,
    planted(workspace("transport", {
      "src/codec/A.ts": "/* Buffer.concat */ const r = /Buffer.concat(\"[/]/; const all = chunks.concat(more)",
      "src/testing/Frames.ts": "Buffer.concat([])",
      "test/a.test.ts": "Buffer.concat([])"
    }))
  ],
  [
    "longFilesSayWhy",
    planted(workspace("a", { "src/A.ts": lines(501), "test/B.ts": "// Tests of A.\n" + lines(600) })),
    2,
    planted(workspace("a", { "src/A.ts": lines(500), "src/B.ts": "// Longer than 500: one table.\n" + lines(900) }))
  ],
  [
    "readmeAndTests",
    planted(workspace("a", { "src/A.ts": "" }, { hasReadme: false })),
    2,
    planted(workspace("a", { "src/A.ts": "", "test/A.test.ts": "" }))
  ],
  [
    "referencesMatch",
    planted(
      workspace("a", {}, { dependencies: ["@peerstrap/b"], sourceReferences: ["packages/c"] }),
      workspace("b", {}),
      workspace("c", {})
    ),
    3,
    planted(
      workspace("a", {}, {
        dependencies: ["@peerstrap/b"],
        devDependencies: ["@peerstrap/c"],
        sourceReferences: ["packages/b"],
        testReferences: ["packages/a", "packages/b", "packages/c"]
      }),
      workspace("b", {}),
      workspace("c", {})
    )
  ]
]

describe("tidy", () => {
  it("every rule has a planted violation", () => {
    assert.deepStrictEqual(cases.map(([name]) => name).toSorted(), Object.keys(Rules).toSorted())
  })

  it("sees the whole repository", () => {
    const modules = repository.workspaces.flatMap((each) => each.modules)
    assert.isAtLeast(repository.workspaces.length, 14)
    assert.isAtLeast(modules.length, 60)
    assert.isAtLeast(modules.flatMap((each) => each.imports).length, 200)
    assert.isAtLeast(modules.filter((each) => /\/src\/(engine|codec)\//.test(each.path)).length, 20)
    assert.deepStrictEqual(modules.filter((each) => each.path.includes("generated")).map((each) => each.path), [])
  })

  it("finds imports of every form, and nothing in comments, strings, templates and expressions", () => {
    const text = `
      import a, { b, type C } from "one" // import "no1"
      import type {
        D,
        E
      } from
        "two"
      import "three"; export * as f from 'four'; export type { G } from "five"
      export { h, i } from "six"
      const j = await import("seven"), k = \`import "no2" \${await import("eight")} \${\`}\`}\`
      const l = "import 'no3'", m = /import "no4" [/"]/.test(x), n = import.meta.url, o = x / 2 / y
      import type from "nine"
      import { default as p, "quoted name" as q } from "ten"
      export const from = { import: 1 }; export default r; from.import("no5")
      /* import "no6" */ import s = require("eleven")
    `
    const found = importsOf(text)
    assert.deepStrictEqual(
      found.map((each) => each.specifier),
      ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]
    )
    assert.deepStrictEqual(found.filter((each) => each.typeOnly).map((each) => each.specifier), ["two", "five"])
    assert.strictEqual(found[1]?.line, 7)
  })

  for (const [name, broken, count, sound] of cases) {
    describe(name, () => {
      it("fails on a planted violation and passes beside it", () => {
        assert.strictEqual(Rules[name](broken).length, count, Rules[name](broken).join("\n"))
        assert.deepStrictEqual(Rules[name](sound), [])
      })

      it("holds in this repository", () => {
        const violations = Rules[name](repository)
        assert.strictEqual(violations.length, 0, `\n${violations.join("\n")}\n`)
      })
    })
  }
})
