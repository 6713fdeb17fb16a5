import { copyFileSync } from "node:fs"
import { defineConfig } from "tsup"

export default defineConfig({
  entry: { cli: "src/main.ts" },
  outDir: "dist/bundle",
  format: ["esm"],
  platform: "node",
  target: "node24",
  dts: false,
  clean: false,
  sourcemap: true,
  removeNodeProtocol: false, // otherwise node:sqlite becomes "sqlite" and fails at run time
  noExternal: [/.*/],
  // Beside the bundle, so that a packed app starts without the repository's tools.
  onSuccess: async () => copyFileSync("../../tools/bin.cjs", "dist/bin.cjs"),
  banner: {
    js:
      "import { createRequire as __createRequire } from \"node:module\"; const require = __createRequire(import.meta.url);"
  }
})
