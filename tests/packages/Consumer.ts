/** An empty project outside the repository that installs the tarballs and uses all that they export. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { root } from "../tidy/Repository.ts"
import { npm, type Outcome, type Packed, type Tarball } from "./Packed.ts"

const rootVersion = (name: string): string => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  return `${name}@${manifest.devDependencies[name]}`
}

const installMillis = 240_000
const offline =
  /\b(?:took longer than|ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|ENOTCACHED|EIDLETIMEOUT)\b/

// npm says ERESOLVE as well where it could not ask for the versions of a peer.
const registryAnswers = async (project: string): Promise<boolean> =>
  (await npm(["view", "effect", "version", "--prefer-online", "--fetch-retries=0", "--fetch-timeout=30000"], project))
    .code === 0

// Without a registry what others publish comes from this checkout; what is ours is still only what the tarballs hold.
const installByHand = (tarballs: ReadonlyArray<Tarball>, project: string): void => {
  const modules = join(project, "node_modules")
  const own = join(root, "node_modules")
  mkdirSync(join(modules, ".bin"), { recursive: true })
  for (const name of readdirSync(own).filter((each) => !each.startsWith(".") && each !== "@peerstrap")) {
    symlinkSync(join(own, name), join(modules, name))
  }
  for (const { files, manifest } of tarballs) {
    const folder = join(modules, manifest.name)
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    for (const [name, path] of Object.entries(manifest.bin ?? {})) {
      chmodSync(join(folder, path), 0o755)
      symlinkSync(join(folder, path), join(modules, ".bin", name))
    }
  }
}

/** Installs all tarballs at once, with Effect beside them as its peer. Answers what a reader must know about how. */
export const install = async (tarballs: ReadonlyArray<Tarball>, project: string): Promise<string | undefined> => {
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }))
  const flags = [
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-timeout=60000"
  ]
  const others = ["effect", "@types/node"].map(rootVersion)
  const forbidden = process.env["PEERSTRAP_REGISTRY"] === "none"
  const installed: Outcome = forbidden
    ? { code: 1, stdout: "", stderr: "ENOTCACHED PEERSTRAP_REGISTRY=none" }
    : await npm(["install", ...flags, ...tarballs.map((each) => each.path), ...others], project, installMillis)
  if (installed.code === 0) return undefined
  if (!offline.test(installed.stderr) && await registryAnswers(project)) {
    throw new Error(`npm install failed\n${installed.stdout}\n${installed.stderr}`)
  }
  rmSync(join(project, "node_modules"), { recursive: true, force: true })
  installByHand(tarballs, project)
  return `packages: npm install: ${installed.stderr.trim().split("\n", 1)[0]}\n`
    + "packages: NO REGISTRY IN REACH: the tarballs were unpacked by hand, and what they depend on was linked from this checkout;\n"
    + "packages: that npm itself installs them is not shown by this run"
}

/** The `ts runnable` blocks of a package's read-me, as files by name. */
export const examplesOf = ({ files, manifest }: Packed): ReadonlyArray<readonly [string, string]> =>
  [...(files.get("README.md") ?? "").matchAll(/^```ts runnable\n([\s\S]*?)^```$/gm)].map((match, at) =>
    [`${manifest.name.replace("@peerstrap/", "")}-${at}.ts`, match[1]!] as const
  )

/** `@peerstrap/x`, `@peerstrap/x/testing`, … of all packages. */
export const specifiersOf = ({ manifest }: Packed): ReadonlyArray<string> =>
  Object.keys(manifest.exports ?? {}).filter((each) => each !== "./package.json").map((each) =>
    manifest.name + each.slice(1)
  )

/** A module that imports every export there is, with types, and fails when one of them is empty. */
const importAll = (specifiers: ReadonlyArray<string>): string =>
  [
    ...specifiers.map((each, at) => `import * as m${at} from "${each}"`),
    `const modules: ReadonlyArray<object> = [${specifiers.map((_, at) => `m${at}`).join(", ")}]`,
    "console.log(modules.map((each) => Object.keys(each).length).join(\" \"))"
  ].join("\n") + "\n"

// Nothing is left unchecked. The default "lib" stays, with DOM: the types of Effect name CryptoKey.
const compilerOptions = { strict: true, noEmit: true, target: "es2024", types: ["node"], skipLibCheck: false }

const resolutions = {
  nodenext: { module: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" }
}

/** The two ways in which today's projects resolve types. */
export const resolutionNames = Object.keys(resolutions) as ReadonlyArray<keyof typeof resolutions>

/** Writes `all.ts`, the examples, `run.ts` that runs them one after another, and a `tsconfig` for each way to resolve. */
export const writePrograms = (packed: ReadonlyArray<Packed>, project: string): ReadonlyArray<string> => {
  const examples = packed.filter((each) => each.manifest.bin === undefined).flatMap(examplesOf)
  const names = ["all.ts", ...examples.map(([name]) => name)]
  writeFileSync(join(project, "all.ts"), importAll(packed.flatMap(specifiersOf)))
  for (const [name, text] of examples) writeFileSync(join(project, name), text)
  writeFileSync(join(project, "run.mjs"), names.map((each) => `await import("./${each}")\n`).join(""))
  for (const [name, how] of Object.entries(resolutions)) {
    const config = { compilerOptions: { ...compilerOptions, ...how }, include: ["*.ts"] }
    writeFileSync(join(project, `tsconfig.${name}.json`), JSON.stringify(config))
  }
  return names
}
