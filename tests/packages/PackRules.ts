/** What a tarball must hold to be of use outside this repository: rules of our own, publint, and "are the types wrong". */
import { checkPackage, Package, type Problem } from "@arethetypeswrong/core"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import type { Packed } from "./Packed.ts"

export type PackRule = (packed: Packed, licence: string) => ReadonlyArray<string>

const foreignFile =
  /(^|\/)(?:test|tests|bench|coverage|node_modules|\.[^/]+)\/|\.test\.|\.bench\.|\.tsbuildinfo$|(^|\/)tsconfig/

/** The licence and the read-me are there; nothing of tests, benchmarks and builds is. */
export const shipsWhatIsMeant: PackRule = ({ files }, licence) => [
  ...(files.get("LICENSE") === licence
    ? []
    : ["LICENSE: is missing or not the repository's; copy it beside package.json"]),
  ...(files.has("README.md") ? [] : ["README.md: is missing"]),
  ...[...files.keys()].filter((path) => foreignFile.test(path)).map((path) =>
    `${path}: does not belong in a tarball; see "files" in package.json`
  )
]

/** Metadata that npm shows and checks. */
export const saysWhatItIs: PackRule = ({ manifest }) => [
  ...(manifest.name.startsWith("@peerstrap/") ? [] : ["name: is not in @peerstrap/"]),
  ...(manifest.private === true ? ["private: cannot be published"] : []),
  ...(manifest.license === "Apache-2.0" ? [] : ["license: is not Apache-2.0"]),
  ...(manifest.type === "module" ? [] : ["type: is not \"module\""]),
  ...(manifest.engines?.["node"] === ">=24" ? [] : ["engines.node: is not >=24"]),
  ...(manifest.bin !== undefined || manifest.sideEffects === false ? [] : ["sideEffects: is not false"])
]

const importsEffect = ({ files }: Packed): boolean =>
  [...files].some(([path, text]) => /^dist\/.*\.(?:js|d\.ts)$/.test(path) && /["']effect(?:\/[\w/]+)?["']/.test(text))

/** One copy of Effect for the whole program; everything else from a registry, our own packages at the very same version. */
export const dependsOnWhatARegistryHas: PackRule = (packed) => {
  const { manifest } = packed
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifest
  const effect = peerDependencies["effect"]
  return [
    ...("effect" in dependencies ? ["dependencies.effect: must be a peer, or a program gets two copies"] : []),
    ...(effect === undefined && importsEffect(packed) ? ["peerDependencies.effect: is missing"] : []),
    ...(effect === undefined || /^\^4\.\d+\.\d+$/.test(effect)
      ? []
      : [`peerDependencies.effect: ${effect} is no caret range of 4`]),
    ...Object.entries({ ...dependencies, ...optionalDependencies }).filter(([name, range]) =>
      name.startsWith("@peerstrap/") ? range !== manifest.version : !/^\d+\.\d+\.\d+$/.test(range)
    ).map(([name, range]) =>
      `dependencies.${name}: ${range} is no exact version${name.startsWith("@peerstrap/") ? " of this release" : ""}`
    )
  ]
}

/** Each export has its source, types and code in the tarball, the types before the code. */
export const exportsExist: PackRule = ({ files, manifest }) => {
  if (manifest.bin !== undefined) {
    return Object.values(manifest.bin).filter((path) => !files.has(path.replace(/^\.\//, ""))).map((path) =>
      `bin: ${path} is missing`
    )
  }
  return Object.entries(manifest.exports ?? { ".": {} }).flatMap(([subpath, target]) => {
    if (subpath === "./package.json") return []
    if (typeof target === "string") return [`exports["${subpath}"]: has no types`]
    const order = Object.keys(target).join(" ")
    return [
      ...(order === "@peerstrap/source types default" ? [] : [`exports["${subpath}"]: conditions are "${order}"`]),
      ...Object.values(target).filter((path) => !files.has(path.slice(2))).map((path) =>
        `exports["${subpath}"]: ${path} is missing`
      )
    ]
  })
}

/** publint, with warnings as errors; suggestions count, too. */
export const lintMessages = async ({ files, manifest }: Packed): Promise<ReadonlyArray<string>> => {
  const pack = { files: [...files].map(([name, data]) => ({ name: `package/${name}`, data })) }
  const { messages, pkg } = await publint({ pkgDir: "package", pack, strict: true })
  return messages.map((each) => `${manifest.name}: ${formatMessage(each, pkg, { color: false }) ?? each.code}`)
}

// These packages are ES modules for Node 24: resolution without "exports", and require from CommonJS types, are not offered.
const notOffered = (problem: Problem): boolean =>
  problem.kind === "CJSResolvesToESM"
  || ("resolutionKind" in problem && (problem.resolutionKind === "node10" || problem.resolutionKind === "node16-cjs"))
  || ("resolutionOption" in problem && problem.resolutionOption === "node10")

/** Are the types wrong: what compilers see of each export under "nodenext" and "bundler", from ES modules. */
export const typeProblems = async ({ files, manifest }: Packed): Promise<ReadonlyArray<string>> => {
  const { name, version } = manifest
  const placed = Object.fromEntries([...files].map(([path, text]) => [`/node_modules/${name}/${path}`, text]))
  const result = await checkPackage(new Package(placed, name, version))
  if (result.types === false) return manifest.exports === undefined ? [] : [`${name}: has no types`]
  return result.problems.filter((each) => !notOffered(each)).map((each) => `${name}: ${JSON.stringify(each)}`)
}
