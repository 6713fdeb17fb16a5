/** The tarballs that would be published, made by npm itself and read back into plain values, so that each rule can be tested on its own. */
import { createPackageFromTarballData } from "@arethetypeswrong/core"
import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root, workspaceFolders } from "../tidy/Repository.ts"

/** The fields of a `package.json` that the rules read. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly license?: string
  readonly type?: string
  readonly sideEffects?: boolean
  readonly engines?: Readonly<Record<string, string>>
  readonly bin?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export interface Packed {
  readonly manifest: Manifest
  /** Path inside the package, with the file's text. */
  readonly files: ReadonlyMap<string, string>
}

export interface Tarball extends Packed {
  /** Of the `.tgz`. */
  readonly path: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

// What `npm test` leaves in the environment would point npm back at this repository.
const foreign =
  /^(?:npm_(?:package_|lifecycle_|config_(?:local_prefix|prefix|workspaces?)$)|INIT_CWD$|NODE_OPTIONS$|VITEST)/i

const outsideEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
  PATH: `${join(root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`,
  NO_COLOR: "1",
  npm_config_update_notifier: "false"
})

/** Runs a program as a user outside the repository would; never fails by itself. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  cwd: string,
  limitMillis = 120_000
): Promise<Outcome> =>
  new Promise((resolve) => {
    const options = { cwd, env: outsideEnvironment(), timeout: limitMillis, maxBuffer: 16 << 20 }
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1
      const late = error?.killed === true ? `\n${command} ${args[0]} took longer than ${limitMillis / 1000} s` : ""
      resolve({ code, stdout, stderr: stderr + late })
    })
  })

/** `npm` as this process was started with it, else the one of the path. */
export const npm = (args: ReadonlyArray<string>, cwd: string, limitMillis?: number): Promise<Outcome> => {
  const own = process.env["npm_execpath"]
  return own !== undefined && own.endsWith(".js")
    ? run(process.execPath, [own, ...args], cwd, limitMillis)
    : run("npm", args, cwd, limitMillis)
}

const readTarball = (path: string): Tarball => {
  const bytes = new Uint8Array(readFileSync(path))
  const content = createPackageFromTarballData(bytes)
  const prefix = `/node_modules/${content.packageName}/`
  const files = new Map(
    content.listFiles().map((file) => [file.slice(prefix.length), content.readFile(file)] as const)
  )
  return { path, bytes, files, manifest: JSON.parse(files.get("package.json")!) as Manifest }
}

const unbuilt = (): ReadonlyArray<string> =>
  workspaceFolders().filter((folder) => !existsSync(join(root, folder, "dist")))

/** Packs all packages and apps into a folder. Wants them built, as `npm test` does. */
export const packAll = async (destination: string): Promise<ReadonlyArray<Tarball>> => {
  const missing = unbuilt()
  if (missing.length > 0) throw new Error(`not built: ${missing.join(", ")}; run "npm run build", or "npm test"`)
  const chosen = workspaceFolders().flatMap((folder) => ["--workspace", folder])
  const packed = await npm(
    ["pack", ...chosen, "--json", "--ignore-scripts", "--pack-destination", destination],
    root
  )
  if (packed.code !== 0) throw new Error(`npm pack failed\n${packed.stdout}\n${packed.stderr}`)
  const answer: unknown = JSON.parse(packed.stdout)
  // npm 12 answers with a record by name, before it was an array.
  const entries = Object.values(answer as Record<string, { readonly filename: string }>)
  return entries.map(({ filename }) => readTarball(join(destination, filename.replace(/^@/, "").replace("/", "-"))))
}
