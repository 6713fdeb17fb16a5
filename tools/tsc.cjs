"use strict"
// TypeScript with Effect's diagnostics where that binary is installed, plain TypeScript elsewhere.
const { spawnSync } = require("node:child_process")
const path = require("node:path")
let command = process.execPath
let args = [path.join(path.dirname(require.resolve("typescript/package.json")), "bin", "tsc")]
try {
  command = path.join(
    path.dirname(require.resolve(`@effect/tsgo-${process.platform}-${process.arch}/package.json`)),
    "lib",
    "tsc"
  )
  args = []
} catch {}
process.exit(spawnSync(command, [...args, ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1)
