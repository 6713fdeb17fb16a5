/** The version of a program, from the one place that has it. */
import { readFileSync } from "node:fs"
import { findPackageJSON } from "node:module"

/**
 * The version in the `package.json` nearest above an existing module (`import.meta.url`): the same whether the module is a source or a bundle
 * somewhere below its package. Throws when there is none, or none with a version.
 */
export const versionOfPackage = (moduleUrl: string): string => {
  const path = findPackageJSON(moduleUrl)
  const manifest: unknown = path === undefined ? undefined : JSON.parse(readFileSync(path, "utf8"))
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : ""
  if (typeof version !== "string" || version === "") throw new Error(`no version in a package.json above ${moduleUrl}`)
  return version
}
