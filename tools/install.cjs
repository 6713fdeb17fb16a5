"use strict"
// Installs the dependencies when they are missing or older than the lockfile. Everything it prints goes to stderr, so that a
// command's own output stays parseable.
const { spawnSync } = require("node:child_process")
const { createHash } = require("node:crypto")
const fs = require("node:fs")
const path = require("node:path")

const marker = (root) => path.join(root, "node_modules", ".peerstrap-lock")
const lockfile = (root) => path.join(root, "package-lock.json")
const lockHash = (root) => createHash("sha256").update(fs.readFileSync(lockfile(root))).digest("hex")

const changedAt = (file) => {
  try {
    return fs.statSync(file).mtimeMs
  } catch {
    return -1
  }
}

/** "current", "missing" (nothing installed) or "outdated" (the lockfile changed since). */
exports.installState = (root) => {
  if (!fs.existsSync(path.join(root, "node_modules"))) return "missing"
  if (fs.existsSync(marker(root))) {
    return fs.readFileSync(marker(root), "utf8").trim() === lockHash(root) ? "current" : "outdated"
  }
  // Installed by npm itself: npm writes its own copy of the lockfile last.
  const installedAt = changedAt(path.join(root, "node_modules", ".package-lock.json"))
  if (installedAt < 0) return "missing"
  return installedAt >= changedAt(lockfile(root)) ? "current" : "outdated"
}

const advice = (root) =>
  `could not install the dependencies of ${root}.
  With a network:      npm ci
  With a filled cache: npm ci --offline
  Without either:      copy node_modules from a checkout with the same package-lock.json on the same platform`

/** Brings node_modules up to the lockfile; answers an exit code, 0 when all is well. */
exports.install = (root) => {
  const state = exports.installState(root)
  if (state === "current") {
    if (!fs.existsSync(marker(root))) fs.writeFileSync(marker(root), lockHash(root))
    return 0
  }
  console.error(`peerstrap: dependencies are ${state}; running npm ci`)
  const npm = process.env.npm_execpath
  const [command, first] = npm !== undefined && npm.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []]
  const done = spawnSync(command, [...first, "ci"], { cwd: root, stdio: ["ignore", 2, 2] })
  if (done.status !== 0) {
    console.error(`peerstrap: ${advice(root)}`)
    return 4
  }
  fs.writeFileSync(marker(root), lockHash(root))
  return 0
}
