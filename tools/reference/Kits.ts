/** `kits.md`: conformance kits that the packages export under `/testing`: what they check, what may be lacking, which mutants they reject. */
import type { Kit } from "@peerstrap/conformance"
import { globSync } from "node:fs"
import { code, cutOut, cutOutService, load, page, root, table, testingSourcesOf } from "./Sources.ts"

type AnyKit = Kit<never, string>

const isKit = (value: unknown): value is AnyKit =>
  typeof value === "object" && value !== null && "contract" in value && "capabilities" in value && "checks" in value &&
  "mutants" in value

interface FoundKit {
  /** Of the package: `packages/storage`. */
  readonly folder: string
  readonly module: string
  readonly exported: string
  readonly kit: AnyKit
  /** The function that registers it, when the module has one. */
  readonly suite: string | undefined
}

const kitsOf = async (path: string): Promise<ReadonlyArray<FoundKit>> => {
  const exported = await load(path)
  return Object.entries(exported).flatMap(([name, kit]) => {
    if (!isKit(kit)) return []
    const suite = `${name.replace(/Kit$/, "")}Suite`
    return [{
      folder: path.split("/").slice(0, 2).join("/"),
      module: `@peerstrap/${path.split("/")[1]}/testing`,
      exported: name,
      kit,
      suite: typeof exported[suite] === "function" ? suite : undefined
    }]
  })
}

/**
 * What the layer gives, by the type of the kit (`Kit<FileSystem | FileSystemPlace, …>`): a contract, or a service of the kit's own, which is shown with the
 * types that it names.
 */
const layerOf = ({ exported, folder }: FoundKit): string => {
  const sources = testingSourcesOf(folder)
  const found = sources.map(({ text }) => new RegExp(`^export const ${exported}: Kit<([^,>]+)`, "m").exec(text)?.[1])
    .find((services) => services !== undefined)
  if (found === undefined) throw new Error(`which services does ${exported} need?`)
  const alias = cutOut(sources, found)?.split(" = ")[1]
  const services = (alias ?? found).split("|").map((service) => service.trim())
  const names = new Set(services)
  const shown: Array<string> = []
  // A set that grows while it is walked: each name once.
  for (const name of names) {
    const cut = cutOutService(sources, name) ?? cutOut(sources, name)
    if (cut === undefined) continue
    shown.push(cut)
    for (const [other] of cut.replaceAll(/\/\*\*.*?\*\//gs, "").matchAll(/\b[A-Z]\w+\b/g)) names.add(other)
  }
  return `The layer gives ${services.map(code).join(", ")}.\n\n` +
    (shown.length === 0 ? "" : `\`\`\`ts\n${shown.join("\n\n")}\n\`\`\`\n\n`)
}

/** What its suite takes beside `capabilities`, `test` and `run`, if it does: `RankingSuiteOptions` of `rankingSuite`. */
const optionsOf = ({ folder, suite = "" }: FoundKit): string => {
  const cut = cutOut(testingSourcesOf(folder), `${suite.slice(0, 1).toUpperCase()}${suite.slice(1)}Options`)
  return cut === undefined ? "" : `\`\`\`ts\n${cut}\n\`\`\`\n\n`
}

const section = (one: FoundKit): string => {
  const { exported, kit, module, suite } = one
  const capabilities = Object.entries(kit.capabilities)
  const of = suite === undefined ? `\`suiteOf(${exported})\` of \`@peerstrap/conformance\`` : code(suite)
  return `## ${kit.contract}\n\n\`${exported}\` of \`${module}\`; ${of} registers it. ${kit.checks.length} checks, ` +
    `${kit.mutants.length} mutants. ${layerOf(one)}${optionsOf(one)}` +
    (capabilities.length === 0
      ? "No capabilities: every implementation is asked everything.\n"
      : table(["capability", "true says"], capabilities.map(([name, says]) => [code(name), says]))) +
    `\n${table(["check", "needs"], kit.checks.map(({ name, needs = [] }) => [name, needs.map(code).join(", ")]))}\n${
      table(["a mutant that", "is rejected by"], kit.mutants.map(({ name, rejectedBy }) => [name, rejectedBy]))
    }`
}

export const kitsPage = async (): Promise<string> => {
  const paths = globSync("packages/*/src/testing/index.ts", { cwd: root }).toSorted()
  const kits = (await Promise.all(paths.map(kitsOf))).flat().toSorted((a, b) =>
    a.kit.contract < b.kit.contract ? -1 : 1
  )
  if (kits.length === 0) throw new Error("no kits found")
  return page(
    "Conformance kits",
    "How to run one, and how to write one: [Prove a part right](../how-to/prove-a-part.md). Every check rejects a mutant, and every mutant is rejected; tests of the packages show it.",
    kits.map(section).join("\n")
  )
}
