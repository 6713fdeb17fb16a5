/** How this program starts itself and its sibling programs again: under the same Node, from the same kind of files. */
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = fileURLToPath(import.meta.url)

/** Run from TypeScript sources (development, tests) rather than from the bundle. */
const fromSources = here.endsWith(".ts")

/** The folder of this app: above `src/processes` or above `dist/bundle`. */
const appFolder = dirname(dirname(dirname(here)))

export interface Program {
  readonly command: string
  readonly args: ReadonlyArray<string>
}

/** This program. Flags of Node that this process was started with count for it, too. */
export const ownProgram = (): Program => ({
  command: process.execPath,
  args: [
    ...process.execArgv,
    fromSources ? join(appFolder, "src", "main.ts") : join(appFolder, "dist", "bundle", "cli.js")
  ]
})

/** The app in the folder beside this one, or the path at which it is missing. */
export const siblingProgram = (folder: string): Program | { readonly missing: string } => {
  const sibling = join(dirname(appFolder), folder)
  const entry = fromSources ? join(sibling, "src", "main.ts") : join(sibling, "dist", "bundle", "cli.js")
  return existsSync(entry) ? { command: process.execPath, args: [...process.execArgv, entry] } : { missing: entry }
}
