/** The rules of the house, each a function from files to violations. A violation says where, what is wrong, and what to do. */
import { dirname, join } from "node:path/posix"
import type { Module, Repository, Workspace } from "./Repository.ts"
import type { Token } from "./Tokens.ts"

export type Rule = (repository: Repository) => ReadonlyArray<string>

const at = (module: Module, line: number): string => `${module.path}:${line}`

/** `contract`, `engine`, …; empty for a file that lies directly in `src`; undefined outside `src`. */
const folderInSource = (path: string): string | undefined => {
  const found = /^(?:packages|apps)\/[^/]+\/src\/(.+)$/.exec(path)
  if (found === null) return undefined
  const parts = found[1]!.split("/")
  return parts.length === 1 ? "" : parts[0]!
}

const sourceModules = (repository: Repository): ReadonlyArray<Module> =>
  repository.workspaces.flatMap((each) => each.modules).filter((each) => folderInSource(each.path) !== undefined)

const pureFolders = new Set(["contract", "engine", "codec"])

// Lower may not import higher. Folders with a name of their own (an app's commands, appliers) do I/O like adapters.
const rankOf = (folder: string, path: string): number => {
  if (folder === "contract") return 0
  if (folder === "engine" || folder === "codec") return 1
  if (folder === "testing") return 4
  return folder === "" && path.endsWith("/index.ts") ? 3 : 2
}

const packageOf = (specifier: string): string | undefined => {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return undefined
  const parts = specifier.split("/")
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0]
}

const shortName = (name: string): string => name.replace(/^@peerstrap\//, "")

export const folderOrder: Rule = (repository) =>
  sourceModules(repository).flatMap((module) => {
    const rank = rankOf(folderInSource(module.path)!, module.path)
    return module.imports.filter((each) => each.specifier.startsWith(".")).flatMap((each) => {
      const target = join(dirname(module.path), each.specifier)
      const folder = folderInSource(target)
      if (folder === undefined) return [`${at(module, each.line)}: imports ${each.specifier} outside its package's src`]
      return rankOf(folder, target) > rank
        ? [
          `${
            at(module, each.line)
          }: imports upwards (${each.specifier}); order: contract < engine, codec < adapter < testing`
        ]
        : []
    })
  })

export const declaredDependencies: Rule = (repository) =>
  repository.workspaces.flatMap((workspace) =>
    workspace.modules.flatMap((module) => {
      const inSource = folderInSource(module.path) !== undefined
      const allowed = new Set(workspace.dependencies)
      if (!inSource) {
        for (const each of [...workspace.devDependencies, ...repository.rootDependencies, workspace.name]) {
          allowed.add(each)
        }
      }
      return module.imports.flatMap((each) => {
        const name = packageOf(each.specifier)
        return name === undefined || allowed.has(name)
          ? []
          : [`${at(module, each.line)}: imports ${name}, which ${workspace.folder}/package.json does not declare`]
      })
    })
  )

const peerstrapDependencies = (workspace: Workspace): ReadonlyArray<string> => [
  ...new Set([...workspace.dependencies, ...workspace.devDependencies].filter((each) => each.startsWith("@peerstrap/")))
]

export const noPackageCycle: Rule = (repository) => {
  const edges = new Map(repository.workspaces.map((each) => [each.name, peerstrapDependencies(each)]))
  const done = new Set<string>()
  const violations: Array<string> = []
  const visit = (name: string, trail: ReadonlyArray<string>): void => {
    const from = trail.indexOf(name)
    if (from >= 0) {
      violations.push(`packages in a circle: ${[...trail.slice(from), name].map(shortName).join(" → ")}`)
      return
    }
    if (done.has(name)) return
    for (const next of edges.get(name) ?? []) visit(next, [...trail, name])
    done.add(name)
  }
  for (const name of edges.keys()) visit(name, [])
  return violations
}

const family = (name: string): "replicas" | "chain" | undefined => {
  const short = shortName(name)
  if (short.startsWith("m3db-")) return "replicas"
  return /^(chain|tezos)-/.test(short) ? "chain" : undefined
}

export const familiesApart: Rule = (repository) =>
  repository.workspaces.flatMap((workspace) => {
    const own = family(workspace.name)
    const isForeign = (name: string | undefined): boolean => {
      if (name === undefined || own === undefined) return false
      const other = family(name)
      if (other !== undefined && other !== own) return true
      return shortName(workspace.name) === "chain-bootstrap" && shortName(name).startsWith("tezos-")
    }
    return [
      ...peerstrapDependencies(workspace).filter(isForeign).map((name) =>
        `${workspace.folder}/package.json: depends on ${name} of the other family`
      ),
      ...workspace.modules.flatMap((module) =>
        module.imports.filter((each) => isForeign(packageOf(each.specifier))).map((each) =>
          `${at(module, each.line)}: imports ${each.specifier} of the other family`
        )
      )
    ]
  })

const impureBuiltin =
  /^(?:node:)?(?:net|tls|dgram|dns|http|https|http2|fs|timers|child_process|worker_threads|cluster|process|os|readline|sqlite|perf_hooks)(?:\/.*)?$/
// Plain values and data types of Effect that carry no runtime.
const dataModules = new Set([
  "Schema",
  "SchemaIssue",
  "SchemaParser",
  "Cause",
  "Exit",
  "Result",
  "Option",
  "Data",
  "Brand",
  "Predicate",
  "Order",
  "Equal",
  "Hash",
  "Function"
])

export const pureFoldersImportNoRuntime: Rule = (repository) =>
  sourceModules(repository).flatMap((module) => {
    const folder = folderInSource(module.path)!
    if (!pureFolders.has(folder)) return []
    return module.imports.filter((each) => !each.typeOnly).flatMap(({ line, specifier }) => {
      if (impureBuiltin.test(specifier)) {
        return [`${at(module, line)}: ${folder}/ does no I/O, but imports ${specifier}`]
      }
      if (folder === "contract" || packageOf(specifier) !== "effect") return []
      return dataModules.has(specifier.slice("effect/".length))
        ? []
        : [
          `${
            at(module, line)
          }: ${folder}/ runs no effects, but imports ${specifier}; use "import type" or move it to adapter/`
        ]
    })
  })

const clockCalls: ReadonlyArray<ReadonlyArray<string>> = [
  ["Date", ".", "now"],
  ["new", "Date", "(", ")"],
  ["Math", ".", "random"],
  ["performance", ".", "now"],
  ["process", ".", "hrtime"],
  ["crypto", ".", "randomUUID"],
  ["randomBytes", "("],
  ["setTimeout"],
  ["setInterval"],
  ["setImmediate"]
]

const sequenceAt = (tokens: ReadonlyArray<Token>, index: number, words: ReadonlyArray<string>): boolean =>
  words.every((word, i) => tokens[index + i]?.text === word && tokens[index + i]?.kind !== "string")
  && tokens[index - 1]?.text !== "."

const usesOf = (module: Module, sequences: ReadonlyArray<ReadonlyArray<string>>, why: string): ReadonlyArray<string> =>
  module.tokens.flatMap((token, i) =>
    sequences.filter((words) => sequenceAt(module.tokens, i, words)).map((words) =>
      `${at(module, token.line)}: ${words.join("").replace("new", "new ")}: ${why}`
    )
  )

export const pureFoldersReadNoClock: Rule = (repository) =>
  sourceModules(repository).filter((each) => pureFolders.has(folderInSource(each.path)!)).flatMap((module) =>
    usesOf(module, clockCalls, "time and randomness are inputs of contract/, engine/ and codec/")
  )

// Kits build small frames at once; what they build is not a read loop.
export const noConcat: Rule = (repository) =>
  sourceModules(repository).filter((each) => folderInSource(each.path) !== "testing").flatMap((module) =>
    usesOf(module, [["Buffer", ".", "concat"]], "copies everything again on each read; keep chunks, or fill one buffer")
  )

const longestLines = 500
const namesReason = /\b(500|long|longer|lines|one file|one place|together|single file)\b/i

export const longFilesSayWhy: Rule = (repository) =>
  [...repository.workspaces.flatMap((each) => each.modules), ...repository.otherModules].flatMap((module) => {
    const lines = module.text.split("\n")
    const comment = lines.slice(0, 5).filter((line) => /^\s*(\/\/|\/?\*)/.test(line)).join("\n")
    return lines.length <= longestLines + 1 || namesReason.test(comment)
      ? []
      : [`${module.path}: ${lines.length - 1} lines; split it, or say in its first 5 lines why it is one file`]
  })

export const readmeAndTests: Rule = (repository) =>
  repository.workspaces.flatMap((workspace) => [
    ...(workspace.hasReadme ? [] : [`${workspace.folder}: has no README.md`]),
    ...(workspace.modules.some((each) => each.path.endsWith(".test.ts")) ? [] : [`${workspace.folder}: has no test`])
  ])

const difference = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): ReadonlyArray<string> =>
  a.filter((each) => !b.includes(each))

const compareReferences = (file: string, actual: ReadonlyArray<string>, expected: ReadonlyArray<string>) => [
  ...difference(expected, actual).map((each) => `${file}: lacks a reference to ${each}`),
  ...difference(actual, expected).map((each) => `${file}: refers to ${each}, which package.json does not name`)
]

export const referencesMatch: Rule = (repository) => {
  const folderOf = new Map(repository.workspaces.map((each) => [each.name, each.folder]))
  const folders = (names: ReadonlyArray<string>) => names.flatMap((each) => folderOf.get(each) ?? [])
  return repository.workspaces.flatMap((workspace) => {
    const run = folders(workspace.dependencies)
    const test = [workspace.folder, ...folders([...workspace.dependencies, ...workspace.devDependencies])]
    return [
      ...compareReferences(`${workspace.folder}/tsconfig.src.json`, workspace.sourceReferences, run),
      ...compareReferences(`${workspace.folder}/tsconfig.test.json`, workspace.testReferences, [...new Set(test)])
    ]
  })
}
