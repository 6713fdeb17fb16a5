/**
 * The packages as npm would publish them: packed, checked, installed all at once in an empty project outside the repository,
 * type-checked there under both ways to resolve modules, and run by plain Node.
 */
import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import * as Consumer from "./packages/Consumer.ts"
import { bootstrapIntoOwnSink } from "./packages/OutsidePlugin.ts"
import { type Manifest, packAll, type Packed, run, type Tarball } from "./packages/Packed.ts"
import * as PackRules from "./packages/PackRules.ts"
import { root, workspaceFolders } from "./tidy/Repository.ts"

const licence = readFileSync(join(root, "LICENSE"), "utf8")
const scratch = mkdtempSync(join(tmpdir(), "peerstrap-packages-"))
const project = join(scratch, "project")
let tarballs: ReadonlyArray<Tarball> = []
let programs: ReadonlyArray<string> = []

beforeAll(async () => {
  tarballs = await packAll(scratch)
  const notice = await Consumer.install(tarballs, project)
  if (notice !== undefined) console.warn(notice)
  programs = Consumer.writePrograms(tarballs, project)
}, 480_000)
afterAll(() => rmSync(scratch, { recursive: true, force: true }), 120_000)

const sound: Packed = {
  manifest: {
    name: "@peerstrap/a",
    version: "1.2.3",
    license: "Apache-2.0",
    type: "module",
    sideEffects: false,
    engines: { node: ">=24" },
    exports: {
      "./package.json": "./package.json",
      ".": { "@peerstrap/source": "./src/index.ts", types: "./dist/index.d.ts", default: "./dist/index.js" }
    },
    dependencies: { "@peerstrap/b": "1.2.3", yaml: "2.9.1" },
    peerDependencies: { effect: "^4.1.0" }
  },
  files: new Map([
    ["LICENSE", licence],
    ["README.md", "# A\n"],
    ["package.json", "{}"],
    ["src/index.ts", "export * from \"./A.ts\"\n"],
    ["dist/index.js", "export * from \"./A.js\"\n"],
    ["dist/index.d.ts", "export * from \"./A.ts\"\n"],
    ["dist/A.js", "import * as Effect from \"effect/Effect\"\nexport const a = Effect.void\n"],
    ["dist/A.d.ts", "export declare const a: number\n"]
  ])
}

const packed = (manifest: Partial<Manifest>, files: Record<string, string | undefined> = {}): Packed => {
  const whole = { ...sound.manifest, ...manifest }
  const entries = Object.entries({
    ...Object.fromEntries(sound.files),
    "package.json": JSON.stringify(whole),
    ...files
  })
  return { manifest: whole, files: new Map(entries.filter((each): each is [string, string] => each[1] !== undefined)) }
}

const withExports = (target: Record<string, string>): Partial<Manifest> => ({ exports: { ".": target } })

/** For each rule packages that break it, with the number of violations. */
const planted: ReadonlyArray<readonly [string, PackRules.PackRule, Packed, number]> = [
  [
    "shipsWhatIsMeant",
    PackRules.shipsWhatIsMeant,
    packed({}, {
      LICENSE: "none",
      "README.md": undefined,
      "test/a.ts": "",
      "dist/tsconfig.tsbuildinfo": "",
      "src/A.test.ts": "",
      ".turbo/log": ""
    }),
    6
  ],
  [
    "saysWhatItIs",
    PackRules.saysWhatItIs,
    packed({ name: "a", private: true, license: "MIT", type: "commonjs", engines: {}, sideEffects: true }),
    6
  ],
  [
    "dependsOnWhatARegistryHas",
    PackRules.dependsOnWhatARegistryHas,
    packed({
      dependencies: { effect: "4.1.0", "@peerstrap/b": "1.2.2", "@peerstrap/c": "workspace:^", yaml: "file:../yaml" },
      peerDependencies: {}
    }),
    5
  ],
  [
    "exportsExist",
    PackRules.exportsExist,
    packed(withExports({ default: "./dist/index.js", types: "./dist/none.d.ts" })),
    2
  ],
  ["exportsExist", PackRules.exportsExist, packed({ bin: { a: "./bin/a.cjs" } }), 1]
]

describe("rules of packing", () => {
  it("pass a sound package, by our rules and by both tools", async () => {
    const whole = packed({})
    for (const [, rule] of planted) assert.deepStrictEqual(rule(whole, licence), [])
    assert.deepStrictEqual(await PackRules.lintMessages(whole), [])
    assert.deepStrictEqual(await PackRules.typeProblems(whole), [])
  })

  for (const [name, rule, broken, count] of planted) {
    it(`${name} fails on a planted violation (${count})`, () => {
      assert.strictEqual(rule(broken, licence).length, count, rule(broken, licence).join("\n"))
    })
  }

  it("publint fails on code that is not there, and on types after it", async () => {
    const missing = await PackRules.lintMessages(packed({}, { "dist/index.js": undefined }))
    assert.match(missing.join("\n"), /dist\/index\.js.*does not exist/)
    const late = withExports({ default: "./dist/index.js", types: "./dist/index.d.ts" })
    assert.match((await PackRules.lintMessages(packed(late))).join("\n"), /types/)
  })

  it("are-the-types-wrong fails on types that are not there, of an export or of a module behind it", async () => {
    const missing = await PackRules.typeProblems(
      packed(withExports({ types: "./dist/none.d.ts", default: "./dist/A.js" }))
    )
    assert.notDeepEqual(missing, [])
    const elsewhere = packed({}, { "dist/A.d.ts": "export * from \"./None.ts\"\n" })
    assert.match((await PackRules.typeProblems(elsewhere)).join("\n"), /InternalResolution/)
  })
})

describe("tarballs", () => {
  it("are made of every package and app, all with one version", () => {
    assert.strictEqual(tarballs.length, workspaceFolders().length)
    assert.strictEqual(new Set(tarballs.map((each) => each.manifest.version)).size, 1)
  })

  for (const [name, rule] of new Map(planted.map(([name, rule]) => [name, rule]))) {
    it(`${name} holds for all`, () => {
      const violations = tarballs.flatMap((each) => rule(each, licence).map((line) => `${each.manifest.name}: ${line}`))
      assert.strictEqual(violations.length, 0, `\n${violations.join("\n")}\n`)
    })
  }

  it("publint has nothing to say", async () => {
    assert.deepStrictEqual((await Promise.all(tarballs.map(PackRules.lintMessages))).flat(), [])
  })

  it("the types are not wrong", async () => {
    assert.deepStrictEqual((await Promise.all(tarballs.map(PackRules.typeProblems))).flat(), [])
  })
})

describe("in an empty project", () => {
  // TypeScript 7 always; 6, in JavaScript and four times as slow, where a run is for every detail.
  const compilers = ["package.json", ...(process.env["CI"] === "true" ? ["tools/api/package.json"] : [])].map(
    (from) => {
      const manifest = createRequire(join(root, from)).resolve("typescript/package.json")
      return { version: JSON.parse(readFileSync(manifest, "utf8")).version, file: join(manifest, "..", "bin", "tsc") }
    }
  )

  for (const { file, version } of compilers) {
    for (const resolution of Consumer.resolutionNames) {
      it(`every export and the examples of all read-mes type-check under ${resolution}, TypeScript ${version}`, async () => {
        const checked = await run(process.execPath, [file, "-p", `tsconfig.${resolution}.json`], project)
        assert.strictEqual(checked.code, 0, checked.stdout + checked.stderr)
      })
    }
  }

  it("every export and the examples of all read-mes run", async () => {
    assert.includeMembers([...programs], ["all.ts", "header-dag-quorum-0.ts", "consistency-policy-0.ts"])
    const ran = await run(process.execPath, ["--disable-warning=ExperimentalWarning", "run.mjs"], project)
    assert.strictEqual(ran.code, 0, ran.stdout + ran.stderr)
    const counts = ran.stdout.split("\n", 1)[0]!.split(" ").map(Number)
    assert.strictEqual(counts.length, tarballs.flatMap(Consumer.specifiersOf).length)
    assert.isTrue(counts.every((each) => each > 0), `an export is empty: ${counts.join(" ")}`)
  })

  it("each app starts and says the version of its tarball", async () => {
    const bins = tarballs.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {}).map((name) => ({ name, manifest })))
    assert.sameMembers(bins.map((each) => each.name), ["peerstrap-chain", "peerstrap-lab", "peerstrap-m3db"])
    for (const { manifest, name } of bins) {
      const said = await run("npx", ["--no-install", name, "--version"], project)
      assert.strictEqual(said.stdout.trim(), manifest.version, said.stderr)
    }
  })

  it("an app runs a plugin of the project's own, from a file that imports the installed packages", async () => {
    const { bootstrapped, lines, validated } = await bootstrapIntoOwnSink(project)
    assert.strictEqual(validated.code, 0, validated.stdout + validated.stderr)
    assert.strictEqual(bootstrapped.code, 0, bootstrapped.stdout + bootstrapped.stderr)
    assert.strictEqual(lines, 100 * 2 * 60, bootstrapped.stderr)
  })
})
