"use strict"
// Starts an app's bundle under Node 24, whatever Node the shell has; passes signals and the exit code on.
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

exports.run = (binDirectory, name) => {
  const cli = path.join(binDirectory, "..", "dist", "bundle", "cli.js")
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
