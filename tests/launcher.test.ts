/** The launcher: what each command line means, and, in a small repository of stand-ins, what reaches the program and what comes back. */
import { assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { root } from "./tidy/Repository.ts"

interface Plan {
  readonly build: boolean
  readonly env: Record<string, string>
  readonly runs: ReadonlyArray<ReadonlyArray<string>>
  /** A line or more for standard output. */
  readonly print?: string
}

const require = createRequire(import.meta.url)
const { planOf } = require("../tools/launch.cjs") as {
  planOf(root: string, argv: ReadonlyArray<string>, at?: { cwd?: string; env?: Record<string, string> }): Plan
}
const { namesPlugins } = require("../tools/bin.cjs") as { namesPlugins(words: ReadonlyArray<string>): boolean }
const { installState } = require("../tools/install.cjs") as { installState(root: string): string }

const made: Array<string> = []
const temporary = (): string => {
  const path = mkdtempSync(join(tmpdir(), "peerstrap-launch-"))
  made.push(path)
  return path
}
afterAll(() => made.forEach((path) => rmSync(path, { recursive: true })))

const write = (folder: string, files: Record<string, string>): void => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

const echo = `
  if (process.argv.includes("--wait")) { process.on("SIGTERM", () => process.exit(41)); setInterval(() => {}, 1000) }
  console.log(JSON.stringify({ args: process.argv.slice(2), shared: process.env.PEERSTRAP_SHARED, node: process.version }))
  if (process.argv.includes("--exit-3")) process.exit(3)
`

/** A repository with the real launcher, and stand-ins for turbo, vitest and the lab. */
const standIn = (turbo = "console.log('noise of the build')"): string => {
  const at = temporary()
  for (const name of ["launch.cjs", "bin.cjs", "install.cjs"]) {
    cpSync(join(root, "tools", name), join(at, "tools", name))
  }
  const lock = "{}"
  write(at, {
    "package-lock.json": lock,
    "node_modules/.peerstrap-lock": createHash("sha256").update(lock).digest("hex"),
    "node_modules/turbo/bin/turbo": turbo,
    "node_modules/vitest/vitest.mjs": echo,
    "apps/lab/bin/peerstrap-lab.cjs": echo
  })
  return at
}

const launch = (at: string, ...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [join(at, "tools", "launch.cjs"), ...args], {
    encoding: "utf8",
    env: { ...process.env, PEERSTRAP_SHARED: "elsewhere", npm_execpath: undefined }
  })

const shared = (env: Record<string, string>): string | undefined =>
  planOf("/r/x", ["test"], { env, cwd: "/other" }).env["PEERSTRAP_SHARED"]

const benchRuns = (...argv: ReadonlyArray<string>) => planOf("/r", ["bench", ...argv]).runs.map((run) => run.slice(2))

describe("what an app starts as", () => {
  it("its modules when a file that the command line names has plugins, else its bundle", () => {
    const at = temporary()
    write(at, {
      "block.yaml": "bootstrap:\n  out: x\nplugins:\n  - use: a.b\n    from: ./A.ts\n",
      "flow.yaml": "{ sync: {}, 'plugins': [] }",
      "plain.yaml": "bootstrap:\n  out: plugins\n  # no more\n",
      "compact.json": "{\"bootstrap\":{},\"plugins\":[]}"
    })
    const starts = (...words: ReadonlyArray<string>) => namesPlugins(words.map((each) => each.replace("AT", at)))
    assert.isTrue(starts("bootstrap", "--config", "AT/block.yaml"))
    assert.isTrue(starts("bootstrap", "--config=AT/block.yaml", "--json"))
    assert.isTrue(starts("plugins", "validate", "AT/flow.yaml"))
    assert.isTrue(starts("plugins", "graph", "AT/compact.json"))
    // Nobody knows before the program reads it.
    spawnSync("mkfifo", [join(at, "pipe")])
    assert.isTrue(starts("bootstrap", "--config", "AT/pipe"))
    assert.isFalse(starts("bootstrap", "--config", "AT/plain.yaml"))
    assert.isFalse(starts("plugins", "list", "--config", "AT/none.yaml", "AT"))
  })
})

describe("launcher plans", () => {
  it("start: the default demo is all; flags pass", () => {
    const tail = (...argv: ReadonlyArray<string>) => planOf("/r", ["start", ...argv]).runs[0]?.slice(1)
    assert.deepStrictEqual(tail(), ["demo", "all"])
    assert.deepStrictEqual(tail("--json"), ["demo", "all", "--json"])
    assert.deepStrictEqual(tail("replicas", "--seed", "4"), ["demo", "replicas", "--seed", "4"])
    assert.strictEqual(planOf("/r", ["start"]).runs[0]?.[0], "/r/apps/lab/bin/peerstrap-lab.cjs")
  })

  it("test: arguments go to vitest, after a build", () => {
    const plan = planOf("/r", ["test", "storage", "-t", "append"])
    assert.deepStrictEqual(plan.runs[0]?.slice(1), ["run", "storage", "-t", "append"])
    assert.isTrue(plan.build)
  })

  it("resolves PEERSTRAP_SHARED from the repository's root", () => {
    assert.strictEqual(shared({}), "/r/shared")
    assert.strictEqual(shared({ PEERSTRAP_SHARED: "data" }), "/r/x/data")
    assert.strictEqual(shared({ PEERSTRAP_SHARED: "/abs" }), "/abs")
  })

  it("sim: flags become variables, the rest goes to vitest", () => {
    const plan = planOf("/r", ["sim", "--seeds", "10000", "--scenario=one replica lies", "--bail=1"])
    assert.deepInclude(plan.env, {
      PEERSTRAP_SEEDS: "10000",
      PEERSTRAP_SCENARIO: "one replica lies"
    })
    assert.deepStrictEqual(plan.runs[0]?.slice(1), ["run", ".sim.test.ts", "--bail=1"])
    assert.strictEqual(planOf("/r", ["sim", "--seed", "42"]).env["PEERSTRAP_SEED"], "42")
    assert.throws(() => planOf("/r", ["sim", "--seeds", "many"]), /whole number, got "many"/)
    assert.throws(() => planOf("/r", ["sim", "--seeds"]), /needs a value/)
    assert.throws(() => planOf("/r", ["sim", "--seeds", "0"]), /at least 1/)
  })

  it("bench: all files that begin with the name, in the repository and in packages", () => {
    const at = temporary()
    write(at, {
      "bench/Wire.bench.ts": "",
      "packages/a/bench/WireFrames.bench.ts": "",
      "packages/a/bench/Other.bench.ts": ""
    })
    const plan = planOf(at, ["bench", "Wire", "--rounds", "3"])
    assert.deepStrictEqual(plan.runs.map((run) => run.slice(2)), [
      [join(at, "bench/Wire.bench.ts"), "--rounds", "3"],
      [join(at, "packages/a/bench/WireFrames.bench.ts"), "--rounds", "3"]
    ])
    assert.throws(() => planOf(at, ["bench", "None"]), /nothing begins with "None"; there are: .*Other\.bench/)
  })

  it("bench without a name: all of them, with the flags given", () => {
    assert.deepStrictEqual(benchRuns(), [["/r/bench/method/RunAll.ts"]])
    assert.deepStrictEqual(benchRuns("--list"), [["/r/bench/method/RunAll.ts", "--list"]])
    assert.deepStrictEqual(benchRuns("--minutes", "5"), [["/r/bench/method/RunAll.ts", "--minutes", "5"]])
  })

  it("example: lists them all, runs the programs of one, and never a module or a test", () => {
    const at = temporary()
    write(at, {
      "examples/01-plugin/README.md": "# A plugin in twenty lines\n\nMore.\n",
      "examples/01-plugin/plugin.ts": "",
      "examples/02-packages/quorum.ts": "",
      "examples/02-packages/cache-warm-up.ts": "",
      "examples/02-packages/Headers.ts": "",
      "examples/02-packages/quorum.test.ts": "",
      "examples/old.ts": ""
    })
    const programs = (...argv: ReadonlyArray<string>) =>
      planOf(at, ["example", ...argv]).runs.map((run) => run.slice(2))
    const file = (name: string) => join(at, "examples/02-packages", name)
    assert.strictEqual(planOf(at, ["example"]).print, "01-plugin  A plugin in twenty lines\n02-packages")
    assert.deepStrictEqual(programs(), [])
    assert.deepStrictEqual(programs("02"), [[file("cache-warm-up.ts")], [file("quorum.ts")]])
    assert.deepStrictEqual(programs("02", "quo", "--json"), [[file("quorum.ts"), "--json"]])
    assert.throws(() => planOf(at, ["example", "07"]), /none begins with "07"; there are/)
    assert.throws(() => planOf(at, ["example", "0"]), /several begin with "0"/)
    assert.throws(() => planOf(at, ["example", "02", "x"]), /begins with "x"; there are: cache-warm-up.ts, quorum.ts/)
  })

  it("interop: wants an executable file, relative to where the user stands", () => {
    const at = temporary()
    write(at, { "m3dbnode": "" })
    assert.throws(() => planOf("/r", ["interop"]), /needs the path of a real m3dbnode/)
    assert.throws(() => planOf("/r", ["interop", "m3dbnode"], { cwd: at }), /not an executable file/)
    for (const missing of [["--m3dbnode"], ["--m3dbnode="], ["-t", "x"]]) {
      assert.throws(() => planOf("/r", ["interop", ...missing], { cwd: at }), /needs the path of a real m3dbnode/)
    }
    for (const given of [[process.execPath], ["--m3dbnode", process.execPath], [`--m3dbnode=${process.execPath}`]]) {
      const plan = planOf("/r", ["interop", ...given, "-t", "x"], { cwd: at })
      assert.strictEqual(plan.env["PEERSTRAP_M3DBNODE"], process.execPath)
      assert.deepStrictEqual(plan.runs[0]?.slice(-3, -2), [join("/r", "tools", "vitest.interop.mjs")])
      assert.deepStrictEqual(plan.runs[0]?.slice(-2), ["-t", "x"])
    }
  })
})

describe("launcher", () => {
  it("wrong usage: exit code 2, nothing on standard output", () => {
    for (
      const [args, says] of [
        [[], "usage:"],
        [["strat"], "unknown command \"strat\""],
        [["interop"], "m3dbnode"],
        [["bench", "None"], "nothing begins with"],
        [["sim", "--seeds", "x"], "whole number"]
      ] as const
    ) {
      const done = launch(standIn(), ...args)
      assert.strictEqual(done.status, 2, done.stderr)
      assert.strictEqual(done.stdout, "")
      assert.include(done.stderr, says)
    }
  })

  it("standard output is the program's alone", () => {
    const at = standIn()
    const done = launch(at, "start", "--json")
    assert.deepInclude(JSON.parse(done.stdout), { args: ["demo", "all", "--json"], shared: join(at, "elsewhere") })
    assert.strictEqual(done.stderr, "")
    assert.strictEqual(done.status, 0)
  })

  it("exit codes pass through", () => {
    assert.strictEqual(launch(standIn(), "start", "--exit-3").status, 3)
    assert.strictEqual(launch(standIn(), "test", "--exit-3").status, 3)
  })

  it("a failed build is shown on standard error and nothing is started", () => {
    const done = launch(standIn("console.log('error TS1: broken'); process.exit(1)"), "start")
    assert.strictEqual(done.status, 5)
    assert.include(done.stderr, "error TS1: broken")
    assert.strictEqual(done.stdout, "")
  })

  it("signals pass through", async () => {
    const child = spawn(process.execPath, [join(standIn(), "tools", "launch.cjs"), "start", "--wait"], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    child.stdout.once("data", () => child.kill("SIGTERM"))
    const code = await new Promise((resolve) => child.once("exit", resolve))
    assert.strictEqual(code, 41)
  })

  it("installs only when the lockfile changed or nothing is there", () => {
    const at = standIn()
    assert.strictEqual(installState(at), "current")
    write(at, { "package-lock.json": "{\"changed\":true}" })
    assert.strictEqual(installState(at), "outdated")
    rmSync(join(at, "node_modules", ".peerstrap-lock"))
    assert.strictEqual(installState(at), "missing")
    write(at, { "node_modules/.package-lock.json": "{}" })
    utimesSync(join(at, "package-lock.json"), 1000, 1000)
    assert.strictEqual(installState(at), "current")
    utimesSync(join(at, "node_modules/.package-lock.json"), 999, 999)
    assert.strictEqual(installState(at), "outdated")
    rmSync(join(at, "node_modules"), { recursive: true })
    assert.strictEqual(installState(at), "missing")
  })

  it("a failed installation says what to do", () => {
    const at = standIn()
    write(at, { "package-lock.json": "not a lockfile" })
    const done = launch(at, "start")
    assert.strictEqual(done.status, 4)
    assert.include(done.stderr, "npm ci --offline")
    assert.strictEqual(done.stdout, "")
  })
})
