/** Every public export has a doc comment, and the API pages can be made of them: the check runs over this repository and over a planted one. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll } from "vitest"
import { root } from "./tidy/Repository.ts"

const scratch = mkdtempSync(join(tmpdir(), "peerstrap-api-"))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const generate = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [join(root, "tools", "api", "generate.mjs"), ...args], { encoding: "utf8" })

const write = (name: string, text: string): void => {
  mkdirSync(dirname(join(scratch, name)), { recursive: true })
  writeFileSync(join(scratch, name), text)
}

/** A repository of one package with two modules. */
const planted = (index: string): void => {
  const exports = {
    "./package.json": "./package.json",
    ".": { "@peerstrap/source": "./src/index.ts" },
    "./testing": { "@peerstrap/source": "./src/testing.ts" }
  }
  write("packages/a/package.json", JSON.stringify({ name: "@peerstrap/a", version: "1.0.0", type: "module", exports }))
  write("packages/a/src/index.ts", index)
  write("packages/a/src/testing.ts", "/** Said. */\nexport const kit = 1\n")
  write("tsconfig.base.json", readFileSync(join(root, "tsconfig.base.json"), "utf8"))
  write("tools/api/tsconfig.json", readFileSync(join(root, "tools", "api", "tsconfig.json"), "utf8"))
  if (!existsSync(join(scratch, "node_modules"))) {
    symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"))
  }
}

describe("API pages", () => {
  it("every export of every package has a doc comment, and no link leads nowhere", () => {
    const checked = generate("--check")
    assert.strictEqual(checked.status, 0, checked.stdout + checked.stderr)
    assert.match(checked.stderr, /api: \d\d+ modules/)
  })

  it("an export without one is told by name and file, also inside a namespace; so is a link that leads nowhere", () => {
    planted(
      "export * as Inner from \"./Inner.ts\"\n/** See {@link Nothing}. */\nexport interface A { readonly a: number }\n"
    )
    write("packages/a/src/Inner.ts", "/** The file. */\nimport \"node:fs\"\n\nexport const unsaid = 1\n")
    const checked = generate("--check", "--root", scratch)
    assert.strictEqual(checked.status, 1, checked.stdout + checked.stderr)
    assert.match(checked.stderr, /@peerstrap\/a\/src\/Inner\.ts: unsaid .*has no doc comment/)
    assert.match(checked.stderr, /1 exports? without/)
    assert.match(checked.stdout + checked.stderr, /Nothing/)
  })

  it("pages are written under the names that importers write", () => {
    planted("/** Said. */\nexport const a = 1\n")
    const made = generate("--root", scratch)
    assert.strictEqual(made.status, 0, made.stdout + made.stderr)
    const index = readFileSync(join(scratch, "docs/api/index.html"), "utf8").replaceAll("<wbr/>", "")
    assert.include(index, "@peerstrap/a</a>")
    assert.include(index, "@peerstrap/a/testing</a>")
  })
})
