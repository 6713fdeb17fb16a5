// API pages of all packages, from doc comments: one module for each entry in "exports", under the name that importers write.
// A public export without a comment, or a link that leads nowhere, is an error. `npm run api` writes docs/api, which is not
// committed; `npm run api -- --check` writes nothing. `--root FOLDER`: the packages of another repository.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Application, Converter, ReflectionKind } from "typedoc"

const { values: flags } = parseArgs({ options: { check: { type: "boolean" }, root: { type: "string" } } })
const root = flags.root ?? fileURLToPath(new URL("../..", import.meta.url))
const packages = join(root, "packages")

/** Source file of each entry, with the specifier that imports it. */
const entries = () => {
  const found = new Map()
  for (const name of readdirSync(packages).toSorted()) {
    const file = join(packages, name, "package.json")
    if (!existsSync(file)) continue
    const manifest = JSON.parse(readFileSync(file, "utf8"))
    for (const [subpath, target] of Object.entries(manifest.exports)) {
      const source = target["@peerstrap/source"]
      if (source !== undefined) found.set(join(packages, name, source), manifest.name + subpath.slice(1))
    }
  }
  return found
}

const specifiers = entries()
const app = await Application.bootstrap({
  name: "Peerstrap",
  entryPoints: [...specifiers.keys()],
  entryPointStrategy: "resolve",
  tsconfig: join(root, "tools", "api", "tsconfig.json"),
  basePath: root,
  displayBasePath: root,
  readme: "none",
  out: join(root, "docs", "api"),
  // The compiler has checked everything already.
  skipErrorChecking: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  disableGit: true,
  disableSources: true,
  githubPages: false,
  hideGenerator: true,
  sort: ["source-order"],
  validation: { notExported: false, invalidLink: true, notDocumented: false, rewrittenLink: true }
})

app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
  for (const module of context.project.getChildrenByKind(ReflectionKind.Module)) {
    const [file] = context.project.getSymbolIdFromReflection(module)?.fileName.split("\0") ?? []
    module.name = specifiers.get(file) ?? module.name
  }
})

const documented = ReflectionKind.Function | ReflectionKind.Class | ReflectionKind.Interface | ReflectionKind.TypeAlias
  | ReflectionKind.Variable

/** Exports of modules, and of the namespaces in them, that have no comment of their own; members are their owner's affair. */
const undocumented = (container) =>
  (container.children ?? []).flatMap((each) => {
    if (each.kindOf(ReflectionKind.Module | ReflectionKind.Namespace)) return undocumented(each)
    if (!each.kindOf(documented) || each.hasComment() || each.signatures?.some((one) => one.hasComment())) return []
    const symbol = project.getSymbolIdFromReflection(each)
    return [
      `${symbol?.packageName}/${symbol?.packagePath}: ${each.name} (${each.getFriendlyFullName()}) has no doc comment`
    ]
  })

const project = await app.convert()
if (project === undefined) process.exit(1)
app.validate(project)
const missing = undocumented(project)
for (const each of missing) console.error(each)
if (missing.length === 0 && !app.logger.hasErrors() && !app.logger.hasWarnings()) {
  if (!flags.check) await app.generateOutputs(project)
  console.error(`api: ${specifiers.size} modules, every export with a doc comment`)
} else {
  console.error(
    `api: ${missing.length} exports without a doc comment, ${app.logger.warningCount} other warnings; nothing was written`
  )
  process.exitCode = 1
}
