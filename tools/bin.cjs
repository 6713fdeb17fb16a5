"use strict"
// Starts an app under Node 24, whatever Node the shell has; passes signals and the exit code on. Mostly its bundle, which starts in
// a quarter of the time; but plugins of a config file may come from outside, and must share one copy of Effect and of our packages
// with the app. Then it is the app's modules, which import what lies in node_modules, as those plugins do.
const path = require("node:path")
const url = require("node:url")
const fs = require("node:fs")

function node24() {
  try {
    const pkg = require.resolve(`node-${process.platform}-${process.arch}/package.json`)
    return path.join(path.dirname(pkg), "bin", "node")
  } catch {
    return undefined
  }
}

exports.node24 = node24

// As `configLimits.maxConfigBytes` of command-line, which says so when a file is longer.
const longestConfigBytes = 1 << 20

/** A pipe may have it, and is read by the program alone. */
const hasPlugins = (file) => {
  try {
    const about = fs.statSync(file)
    if (!about.isFile()) return about.isFIFO()
    return about.size <= longestConfigBytes && /(?:^|[\s{,"'])plugins["']?\s*:/m.test(fs.readFileSync(file, "utf8"))
  } catch {
    return false
  }
}

/** Whether a word of the command line names a file with a key `plugins`, in YAML or JSON. A file that only looks so costs time. */
exports.namesPlugins = (words) => words.some((word) => hasPlugins(word.replace(/^--[\w-]+=/, "")))

exports.run = (binDirectory, name) => {
  const program = exports.namesPlugins(process.argv.slice(2)) ? ["main.js"] : ["bundle", "cli.js"]
  const cli = path.join(binDirectory, "..", "dist", ...program)
  if (!fs.existsSync(cli)) {
    console.error(`${name}: not built yet; run "npm run build" in the repository first`)
    process.exit(2)
  }
  if (Number(process.versions.node.split(".")[0]) >= 24) return import(url.pathToFileURL(cli).href)
  const node = node24()
  if (node === undefined) {
    console.error(`${name} needs Node >= 24; this is ${process.version}`)
    process.exit(2)
  }
  const child = require("node:child_process").spawn(node, [cli, ...process.argv.slice(2)], { stdio: "inherit" })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("exit", (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else process.exit(code)
  })
}
