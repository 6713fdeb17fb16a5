"use strict"
// A release without its last step, in a throw-away clone of what is committed: what would change, versions, changelogs, lockfile.
// Fails when a package is left out of it, or when they do not all end at one version. Publishes nothing and touches nothing here.
const { spawnSync } = require("node:child_process")
const fs = require("node:fs")
const os = require("node:os")
const path = require("node:path")

const root = path.resolve(__dirname, "..")

const run = (cwd, command, ...args) => {
  const done = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, CI: "true", NO_COLOR: "1" } })
  if (done.status === 0) return done.stdout
  throw new Error(
    `${command} ${args.join(" ")}: ${done.error?.message ?? `exit code ${done.status}`}\n${done.stdout}${done.stderr}`
  )
}

const manifests = (clone) =>
  ["packages", "apps"].flatMap((group) =>
    fs.readdirSync(path.join(clone, group))
      .map((name) => path.join(clone, group, name))
      .filter((folder) => fs.existsSync(path.join(folder, "package.json")))
      .map((folder) => ({ folder, ...JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) }))
  )

/** What is wrong with packages that were just given their versions. */
const faults = (packages, lock) => {
  const version = packages[0].version
  return packages.flatMap(({ dependencies, devDependencies, folder, name, version: own }) => [
    ...(own === version ? [] : [`${name}: gets ${own}, others ${version}`]),
    ...(fs.existsSync(path.join(folder, "CHANGELOG.md")) ? [] : [`${name}: gets no CHANGELOG.md`]),
    ...Object.entries({ ...dependencies, ...devDependencies })
      .filter(([each, range]) => each.startsWith("@peerstrap/") && range !== version)
      .map(([each, range]) => `${name}: would depend on ${each} ${range}`),
    ...(Object.values(lock.packages).some((each) => each.name === name && each.version === version)
      ? []
      : [`${name}: package-lock.json does not have ${version}`])
  ])
}

const rehearse = (clone) => {
  run(root, "git", "clone", "-q", "--no-tags", root, clone)
  fs.symlinkSync(path.join(root, "node_modules"), path.join(clone, "node_modules"))
  const changeset = path.join(root, "node_modules", "@changesets", "cli", "bin.js")
  const before = manifests(clone)
  const status = path.join(clone, "status.json")
  // Its base branch is what is committed here, whatever that is called.
  run(clone, "git", "checkout", "-q", "-B", "main")
  run(clone, process.execPath, changeset, "status", "--output=status.json")
  const { releases } = JSON.parse(fs.readFileSync(status, "utf8"))
  const planned = new Map(releases.filter((each) => each.type !== "none").map((each) => [each.name, each.newVersion]))
  if (planned.size === 0) {
    console.log(`release: nothing to release; all stand at ${before[0].version}`)
    return before.some((each) => each.version !== before[0].version) ? ["versions differ"] : []
  }
  run(clone, process.execPath, changeset, "version")
  const inClone = ["install", "--package-lock-only", "--ignore-scripts", "--prefer-offline"]
  fs.unlinkSync(path.join(clone, "node_modules"))
  run(clone, "npm", ...inClone)
  const after = manifests(clone)
  const lock = JSON.parse(fs.readFileSync(path.join(clone, "package-lock.json"), "utf8"))
  console.log(`release: ${after.length} packages from ${before[0].version} to ${after[0].version}`)
  return [
    ...after.filter((each) => !planned.has(each.name)).map((each) => `${each.name}: no changeset reaches it`),
    ...faults(after, lock)
  ]
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "peerstrap-release-"))
try {
  const found = rehearse(path.join(scratch, "clone"))
  for (const each of found) console.error(`release: ${each}`)
  process.exitCode = found.length === 0 ? 0 : 1
} finally {
  fs.rmSync(scratch, { recursive: true, force: true })
}
