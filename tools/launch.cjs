"use strict"
// The one way into the repository's programs: launch.cjs start|test|sim|bench|example|interop|install [arguments].
// Runs under any Node from 20 on: installs what is missing, goes on under the installed Node 24, builds what is stale, and
// then gets out of the way: standard output is the program's alone, signals and exit codes pass through.
const { spawn } = require("node:child_process")
const fs = require("node:fs")
const os = require("node:os")
const path = require("node:path")
const { node24 } = require("./bin.cjs")
const { install } = require("./install.cjs")

const wrongUsage = 2
const localFault = 4

const usage = `usage: node tools/launch.cjs COMMAND [arguments]
  start [DEMO] [flags]              the demonstrations: all, replicas, chain; --json prints JSON lines
  test [vitest arguments]           all tests, or those that the arguments name
  sim [--seeds N] [--seed SEED] [--scenario NAME]
                                    simulations: N seeds each, or one seed again, of one scenario
  bench [--list]                    all benchmarks that have goals, shortened; --list names all there are
  bench NAME [arguments]            bench/NAME*.ts, in the repository and in its packages
  example [NUMBER [NAME [arguments]]]
                                    lists the examples, or runs the programs of one: example 02, example 02 cache
  interop --m3dbnode PATH [vitest arguments]
                                    tests against a real m3dbnode binary; PATH alone does, too
  install                           the dependencies only`

class Usage extends Error {}

const vitest = (root) => path.join(root, "node_modules", "vitest", "vitest.mjs")

const simFlags = {
  "--seeds": "PEERSTRAP_SEEDS",
  "--scenario": "PEERSTRAP_SCENARIO",
  "--seed": "PEERSTRAP_SEED"
}

const simPlan = (root, args) => {
  const env = {}
  const rest = []
  for (let i = 0; i < args.length; i++) {
    const [flag, inline] = args[i].split(/=(.*)/s)
    if (!Object.hasOwn(simFlags, flag)) {
      rest.push(args[i])
      continue
    }
    const value = inline ?? args[++i]
    if (value === undefined || value === "") throw new Usage(`sim: ${flag} needs a value`)
    if (flag !== "--scenario" && !/^\d+$/.test(value)) {
      throw new Usage(`sim: ${flag} needs a whole number, got "${value}"`)
    }
    if (flag === "--seeds" && Number(value) === 0) throw new Usage("sim: --seeds needs at least 1")
    env[simFlags[flag]] = value
  }
  const names = rest.some((each) => !each.startsWith("-"))
  return { build: false, env, runs: [[vitest(root), "run", ...(names ? [] : [".sim.test.ts"]), ...rest]] }
}

const benchFiles = (root) => {
  const folders = [path.join(root, "bench")]
  const packages = path.join(root, "packages")
  for (const name of fs.existsSync(packages) ? fs.readdirSync(packages) : []) {
    folders.push(path.join(packages, name, "bench"))
  }
  return folders
    .filter((folder) => fs.existsSync(folder))
    .flatMap((folder) =>
      fs.readdirSync(folder).filter((name) => name.endsWith(".ts")).map((name) => path.join(folder, name))
    )
    .toSorted()
}

const benchFlags = ["--conditions=@peerstrap/source", "--expose-gc"]

const benchPlan = (root, [name, ...args]) => {
  if (name === undefined || name.startsWith("-")) {
    const everything = path.join(root, "bench", "method", "RunAll.ts")
    return {
      build: false,
      env: {},
      runs: [[...benchFlags, everything, ...(name === undefined ? [] : [name]), ...args]]
    }
  }
  const all = benchFiles(root)
  const known = all.length === 0
    ? "there are none yet"
    : `there are: ${all.map((file) => path.basename(file, ".ts")).join(", ")}`
  const chosen = all.filter((file) => path.basename(file).startsWith(name))
  if (chosen.length === 0) throw new Usage(`bench: nothing begins with "${name}"; ${known}`)
  return {
    build: false,
    env: {},
    runs: chosen.map((file) => [...benchFlags, file, ...args])
  }
}

const examplesOf = (root) => {
  const folder = path.join(root, "examples")
  return (fs.existsSync(folder) ? fs.readdirSync(folder) : [])
    .filter((name) => /^\d+-/.test(name) && fs.statSync(path.join(folder, name)).isDirectory())
    .toSorted()
    .map((name) => path.join(folder, name))
}

const titleOf = (folder) => {
  const readme = path.join(folder, "README.md")
  const title = fs.existsSync(readme) ? fs.readFileSync(readme, "utf8").split("\n", 1)[0].replace(/^#+\s*/, "") : ""
  return `${path.basename(folder)}  ${title}`.trimEnd()
}

// A lower-case name is a program; modules are in PascalCase.
const programsOf = (folder) =>
  fs.readdirSync(folder)
    .filter((name) => /^[a-z].*\.ts$/.test(name) && !/\.(?:test|d)\.ts$/.test(name))
    .toSorted()

const examplePlan = (root, [number, name = "", ...args]) => {
  const all = examplesOf(root)
  const list = all.map(titleOf).join("\n")
  if (number === undefined) return { build: false, env: {}, runs: [], print: list }
  const folders = all.filter((each) => path.basename(each).startsWith(number))
  if (folders.length !== 1) {
    throw new Usage(
      `example: ${folders.length === 0 ? "none begins" : "several begin"} with "${number}"; there are\n${list}`
    )
  }
  const programs = programsOf(folders[0])
  const chosen = programs.filter((each) => each.startsWith(name))
  if (chosen.length === 0) {
    throw new Usage(
      `example: no program of ${path.basename(folders[0])} begins with "${name}"; there are: ${programs.join(", ")}`
    )
  }
  const flags = ["--conditions=@peerstrap/source", "--disable-warning=ExperimentalWarning"]
  return { build: false, env: {}, runs: chosen.map((each) => [...flags, path.join(folders[0], each), ...args]) }
}

const isExecutable = (file) => {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

/** The binary's path, as a flag with its value in the same word or the next one, or as the first word; and what is left. */
const interopBinary = ([first, ...rest]) => {
  const [flag, inline] = first === undefined ? [] : first.split(/=(.*)/s)
  if (flag === "--m3dbnode") return inline === undefined ? [rest[0], rest.slice(1)] : [inline, rest]
  return [first, rest]
}

const interopPlan = (root, args, cwd) => {
  const needs = "interop needs the path of a real m3dbnode binary: npm run interop -- --m3dbnode PATH"
  const [binary, rest] = interopBinary(args)
  if (binary === undefined || binary === "" || binary.startsWith("-")) throw new Usage(needs)
  const file = path.resolve(cwd, binary)
  if (!isExecutable(file)) throw new Usage(`${needs} (${file} is not an executable file)`)
  const config = path.join(root, "tools", "vitest.interop.mjs")
  return { build: true, env: { PEERSTRAP_M3DBNODE: file }, runs: [[vitest(root), "run", "--config", config, ...rest]] }
}

const startPlan = (root, args) => {
  const named = args.length > 0 && !args[0].startsWith("-")
  const demo = named ? args : ["all", ...args]
  return { build: true, env: {}, runs: [[path.join(root, "apps", "lab", "bin", "peerstrap-lab.cjs"), "demo", ...demo]] }
}

/** What a command line means: whether to build first, which variables to set, which Node programs to run one after another. */
const planOf = (root, argv, { cwd = root, env = {} } = {}) => {
  const [command, ...args] = argv
  const shared = { PEERSTRAP_SHARED: path.resolve(root, env.PEERSTRAP_SHARED || "../shared") }
  const plan = () => {
    if (command === "start") return startPlan(root, args)
    // Tests start hundreds of programs; with the cache each compiles only what none has compiled before.
    if (command === "test") {
      const cache = path.join(root, ".peerstrap", "compile-cache")
      return { build: true, env: { NODE_COMPILE_CACHE: cache }, runs: [[vitest(root), "run", ...args]] }
    }
    if (command === "sim") return simPlan(root, args)
    if (command === "bench") return benchPlan(root, args)
    if (command === "example") return examplePlan(root, args)
    if (command === "interop") return interopPlan(root, args, cwd)
    if (command === "install") return { build: false, env: {}, runs: [] }
    throw new Usage(command === undefined ? usage : `unknown command "${command}"\n${usage}`)
  }
  const { env: own, ...rest } = plan()
  return { ...rest, env: { ...shared, ...own } }
}

// A terminal sends SIGINT to the whole group by itself; sending it on would interrupt the program twice.
const forwarded = () => (process.stdin.isTTY ? ["SIGTERM", "SIGHUP"] : ["SIGINT", "SIGTERM", "SIGHUP"])

const run = (command, args, options) =>
  new Promise((resolve) => {
    const child = spawn(command, args, options)
    const pass = new Map(["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => [signal, () => {
      if (forwarded().includes(signal)) child.kill(signal)
    }]))
    for (const [signal, send] of pass) process.on(signal, send)
    const finish = (outcome) => {
      for (const [signal, send] of pass) process.off(signal, send)
      resolve(outcome)
    }
    child.on("error", (error) => {
      console.error(`peerstrap: cannot start ${command}: ${error.message}`)
      finish({ code: localFault, signal: null })
    })
    child.on("exit", (code, signal) => finish({ code, signal }))
  })

const leave = ({ code, signal }) => {
  if (signal === null) process.exitCode = code
  else process.kill(process.pid, signal)
}

const childEnv = (root, extra) => ({
  ...process.env,
  ...extra,
  DO_NOT_TRACK: "1",
  TURBO_TELEMETRY_DISABLED: "1",
  PATH: `${path.join(root, "node_modules", ".bin")}${path.delimiter}${process.env.PATH ?? ""}`
})

// Silent unless it fails or takes long: nothing of the build may reach standard output.
const build = async (root, env) => {
  const log = fs.mkdtempSync(path.join(os.tmpdir(), "peerstrap-build-"))
  const file = fs.openSync(path.join(log, "log"), "w")
  const notice = setTimeout(() => console.error("peerstrap: building; this takes a while the first time"), 1500)
  const turbo = path.join(root, "node_modules", "turbo", "bin", "turbo")
  const args = ["run", "build", "--output-logs=errors-only", "--concurrency=4"]
  const outcome = await run(process.execPath, [turbo, ...args], { cwd: root, env, stdio: ["ignore", file, file] })
  clearTimeout(notice)
  fs.closeSync(file)
  if (outcome.code !== 0) process.stderr.write(fs.readFileSync(path.join(log, "log")))
  fs.rmSync(log, { recursive: true })
  if (outcome.code !== 0 && outcome.signal === null) {
    console.error("peerstrap: the build failed (see above)")
    return { code: 5, signal: null }
  }
  return outcome
}

const main = async (root, argv) => {
  const cwd = process.env.INIT_CWD ?? process.cwd()
  const plan = planOf(root, argv, { cwd, env: process.env })
  const installed = install(root)
  if (installed !== 0) return { code: installed, signal: null }
  if (Number(process.versions.node.split(".")[0]) < 24) {
    const node = node24()
    if (node === undefined) {
      console.error(
        `peerstrap needs Node >= 24; this is ${process.version}, and npm brings Node 24 along only on Linux x64.\n`
          + "Install Node 24 (https://nodejs.org) and run the command again; on Linux x64 run npm ci without --omit=optional."
      )
      return { code: wrongUsage, signal: null }
    }
    return run(node, [__filename, ...argv], { stdio: "inherit", env: { ...process.env, INIT_CWD: cwd } })
  }
  if (plan.print !== undefined) console.log(plan.print)
  const env = childEnv(root, plan.env)
  if (plan.build) {
    const built = await build(root, env)
    if (built.code !== 0) return built
  }
  for (const args of plan.runs) {
    const outcome = await run(process.execPath, args, { cwd: root, env, stdio: "inherit" })
    if (outcome.code !== 0) return outcome
  }
  return { code: 0, signal: null }
}

module.exports = { planOf, Usage }

if (require.main === module) {
  main(path.resolve(__dirname, ".."), process.argv.slice(2)).then(leave, (error) => {
    if (!(error instanceof Usage)) throw error
    console.error(error.message.startsWith("usage") ? error.message : `peerstrap: ${error.message}`)
    process.exitCode = wrongUsage
  })
}
