// The search for an identity from one bundled file, as apps ship it: with the crypto module beside it, and without any `node_modules`.
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const run = promisify(execFile)
const packageFolder = join(dirname(fileURLToPath(import.meta.url)), "..")
const root = join(packageFolder, "..", "..")

const program = `
import { checkProofOfWork, Crypto, cryptoLayer, generateIdentity, proofOfWorkTarget } from "@peerstrap/tezos-wire"
import * as Effect from "effect/Effect"

const program = Effect.gen(function*() {
  const crypto = yield* Crypto
  const identity = yield* generateIdentity({ difficulty: 13, threads: 2 })
  const good = checkProofOfWork(crypto, identity.publicKey, identity.proofOfWorkStamp, proofOfWorkTarget(13))
  console.log(JSON.stringify({ implementation: crypto.implementation, good }))
})
Effect.runPromise(Effect.provide(program, cryptoLayer))
`

/** The options of the apps' bundles, with the packages' sources in place of their builds. */
const config = `
export default {
  entry: { cli: "main.ts" }, outDir: "out", format: ["esm"], platform: "node", target: "node24",
  dts: false, clean: false, removeNodeProtocol: false, noExternal: [/.*/], silent: true,
  esbuildOptions(options) { options.conditions = ["@peerstrap/source"] },
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' }
}
`

const runBundle = async (file: string): Promise<unknown> => {
  const { stdout } = await run(process.execPath, [file], { cwd: dirname(file), timeout: 20_000 })
  return JSON.parse(stdout)
}

describe("one bundled file", () => {
  it(
    "finds an identity in worker threads, and without anything beside it in its own thread",
    { timeout: 30_000 },
    async () => {
      mkdirSync(join(packageFolder, ".tscache"), { recursive: true })
      const folder = mkdtempSync(join(packageFolder, ".tscache", "bundle-"))
      const elsewhere = mkdtempSync(join(tmpdir(), "peerstrap-bundle-"))
      try {
        writeFileSync(join(folder, "main.ts"), program)
        writeFileSync(join(folder, "tsup.config.mjs"), config)
        writeFileSync(join(folder, "package.json"), "{\"type\":\"module\"}")
        await run(process.execPath, [join(root, "node_modules", "tsup", "dist", "cli-default.js")], { cwd: folder })
        const within = await runBundle(join(folder, "out", "cli.js"))
        assert.deepInclude(within, { good: true })
        cpSync(join(folder, "out"), elsewhere, { recursive: true })
        writeFileSync(join(elsewhere, "package.json"), "{\"type\":\"module\"}")
        assert.deepStrictEqual(await runBundle(join(elsewhere, "cli.js")), { implementation: "portable", good: true })
      } finally {
        rmSync(folder, { recursive: true, force: true })
        rmSync(elsewhere, { recursive: true, force: true })
      }
    }
  )
})
