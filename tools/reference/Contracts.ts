/** `contracts.md`: the service of every kind with its types and errors, as they stand in the code. */
import { existsSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { pluginModules } from "./Plugins.ts"
import { code, cutOut, page, root, type Source, sourcesOf } from "./Sources.ts"

/** Modules of the same contract folder that a contract names. */
const neighboursOf = ({ path, text }: Source): ReadonlyArray<string> =>
  [...text.matchAll(/from "(\.\/\w+\.ts)"/g)].map((found) => relative(root, join(root, dirname(path), found[1]!)))

/** What a reader needs of a module: no imports. */
const shown = (text: string): string => {
  const body = text.replaceAll(/^import [^;]*? from "[^"]+"\n/gms, "").trim()
  return `\`\`\`ts\n${body}\n\`\`\`\n`
}

interface Contract {
  readonly kind: string
  readonly service: string
  readonly package: string
}

const contractsOf = async (): Promise<ReadonlyArray<Contract>> =>
  (await pluginModules()).flatMap(({ kinds }) =>
    kinds.map(([, { id, tag }]) => {
      const at = tag.key.lastIndexOf("/")
      return { kind: id, service: tag.key.slice(at + 1), package: tag.key.slice(0, at) }
    })
  ).toSorted((a, b) => a.kind < b.kind ? -1 : 1)

const declaredIn = (sources: ReadonlyArray<Source>, { package: name, service }: Contract): Source => {
  const declaration = new RegExp(`class ${service}\\s+extends Context\\.Service<`)
  const folder = `packages/${name.split("/")[1]}/src/`
  const found = sources.find(({ path, text }) => path.startsWith(folder) && declaration.test(text))
  if (found === undefined) throw new Error(`where is ${service} of ${name}?`)
  return found
}

/** Types of other packages that a contract names, and what those name in their package. */
const foreignTypes = (sources: ReadonlyArray<Source>, { text }: Source): ReadonlyArray<string> =>
  [...text.matchAll(/^import type \{ ([^}]+) \} from "@peerstrap\/([\w-]+)"$/gm)].flatMap((found) => {
    const folder = `packages/${found[2]}/src/`
    const names = new Set(found[1]!.split(", "))
    const cuts: Array<string> = []
    // A set that grows while it is walked: each name once.
    for (const name of names) {
      const cut = cutOut(sources.filter(({ path }) => path.startsWith(folder)), name)
      if (cut === undefined) continue
      cuts.push(cut)
      for (const [other] of cut.replaceAll(/\/\*\*.*?\*\//gs, "").matchAll(/\b[A-Z]\w+\b/g)) names.add(other)
    }
    return cuts.length === 0 ? [] : [`Of \`@peerstrap/${found[2]}\`:\n\n${shown(cuts.join("\n\n"))}`]
  })

const section = (
  { kind, package: name, service }: Contract,
  own: Source,
  sources: ReadonlyArray<Source>,
  told: Map<string, string>
): string => {
  const head = `## ${kind}\n\n\`import { ${service} } from "${name}"\`, and the types and errors below.\n`
  const neighbours = neighboursOf(own).filter((path) => existsSync(join(root, path))).map((path) => {
    const before = told.get(path)
    if (before !== undefined) {
      return `Types of ${code(path.split("/").at(-1)!)}: see [${before}](#${before.replaceAll(".", "")}).\n`
    }
    told.set(path, kind)
    return shown(readFileSync(join(root, path), "utf8"))
  })
  return `${head}\n${[shown(own.text), ...foreignTypes(sources, own), ...neighbours].join("\n")}`
}

export const contractsPage = async (): Promise<string> => {
  const sources = sourcesOf("packages/*")
  const contracts = (await contractsOf()).map((contract) => ({ contract, own: declaredIn(sources, contract) }))
  // Each contract stands in its own section; what several name stands where it is named first.
  const told = new Map(contracts.map(({ contract, own }) => [own.path, contract.kind]))
  return page(
    "Contracts",
    "The service of every kind: what a plugin of that kind has to give, as the code has it, with the types and errors that it names. Which plugins there are:\n" +
      "[plugins](plugins.md); how to write one: [write a plugin](../how-to/write-a-plugin.md); what is asked of it: [kits](kits.md).",
    contracts.map(({ contract, own }) => section(contract, own, sources, told)).join("\n")
  )
}
