/** `kits.md`: conformance kits that the packages export under `/testing`: what they check, what may be lacking, which mutants they reject. */
import type { Kit } from "@peerstrap/conformance"
import { globSync } from "node:fs"
import { code, load, page, root, table } from "./Sources.ts"

type AnyKit = Kit<never, string>

const isKit = (value: unknown): value is AnyKit =>
  typeof value === "object" && value !== null && "contract" in value && "capabilities" in value && "checks" in value &&
  "mutants" in value

interface FoundKit {
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
      module: `@peerstrap/${path.split("/")[1]}/testing`,
      exported: name,
      kit,
      suite: typeof exported[suite] === "function" ? suite : undefined
    }]
  })
}

const section = ({ exported, kit, module, suite }: FoundKit): string => {
  const capabilities = Object.entries(kit.capabilities)
  const of = suite === undefined ? `\`suiteOf(${exported})\` of \`@peerstrap/conformance\`` : code(suite)
  return `## ${kit.contract}\n\n\`${exported}\` of \`${module}\`; ${of} registers it. ${kit.checks.length} checks, ` +
    `${kit.mutants.length} mutants.\n\n` +
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
