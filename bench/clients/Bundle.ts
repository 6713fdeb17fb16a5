/** Our side as one file, as the app is shipped: a process that reads hundreds of sources first would be measured on that. */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "tsup"

/** Bundles `Ours.ts` into a directory; returns the file. */
export const bundleOurs = async (directory: string): Promise<string> => {
  const outDir = join(directory, "ours")
  await build({
    config: false,
    silent: true,
    entry: { Ours: fileURLToPath(new URL("Ours.ts", import.meta.url)) },
    outDir,
    format: ["esm"],
    outExtension: () => ({ js: ".mjs" }),
    platform: "node",
    target: "node24",
    removeNodeProtocol: false,
    noExternal: [/.*/],
    esbuildOptions: (options) => {
      options.conditions = ["@peerstrap/source"]
    }
  })
  return join(outDir, "Ours.mjs")
}
