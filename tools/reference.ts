/**
 * The reference pages, made of what the code says: `node --conditions=@peerstrap/source tools/reference.ts` compares them with docs/reference
 * and ends with 1 when one differs; `--write` writes them. `--folder DIR` stands for docs/reference.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { cliPage } from "./reference/Cli.ts"
import { configPage } from "./reference/Config.ts"
import { contractsPage } from "./reference/Contracts.ts"
import { errorsPage } from "./reference/Errors.ts"
import { eventsPage } from "./reference/Events.ts"
import { kitsPage } from "./reference/Kits.ts"
import { metricsPage } from "./reference/Metrics.ts"
import { pluginsPage } from "./reference/Plugins.ts"
import { root } from "./reference/Sources.ts"

const pages: Readonly<Record<string, () => string | Promise<string>>> = {
  "cli.md": cliPage,
  "config.md": configPage,
  "contracts.md": contractsPage,
  "errors.md": errorsPage,
  "events.md": eventsPage,
  "kits.md": kitsPage,
  "metrics.md": metricsPage,
  "plugins.md": pluginsPage
}

const firstDifference = (is: string, wanted: string): string => {
  const [a, b] = [is.split("\n"), wanted.split("\n")]
  const at = b.findIndex((line, index) => line !== a[index])
  const line = at < 0 ? b.length : at
  return `line ${line + 1}\n    page: ${a[line] ?? "(no such line)"}\n    code: ${b[line] ?? "(no such line)"}`
}

/** A page that cannot be made keeps no other from being made. */
const made = async (make: () => string | Promise<string>): Promise<string | Error> => {
  try {
    return await make()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const { values: { folder, write: isWriting } } = parseArgs({
  options: {
    write: { type: "boolean", default: false },
    folder: { type: "string", default: join(root, "docs", "reference") }
  }
})
const stale: Array<string> = []
const failed: Array<string> = []
for (const [name, make] of Object.entries(pages)) {
  const path = join(folder, name)
  const wanted = await made(make)
  if (wanted instanceof Error) {
    failed.push(`${name}: ${wanted.message}`)
    continue
  }
  const is = existsSync(path) ? readFileSync(path, "utf8") : ""
  if (is === wanted) continue
  stale.push(`${name}: ${firstDifference(is, wanted)}`)
  if (isWriting) writeFileSync(path, wanted)
}
const all = `${Object.keys(pages).length} pages`
if (failed.length > 0) console.error(`cannot be made:\n  ${failed.join("\n  ")}`)
if (stale.length > 0 && !isWriting) {
  console.error(`docs/reference differs from the code; write it again with: npm run reference\n  ${stale.join("\n  ")}`)
}
if (failed.length > 0 || (stale.length > 0 && !isWriting)) process.exitCode = 1
else console.log(isWriting ? `${all}, ${stale.length} rewritten` : `${all}, all as the code says`)
