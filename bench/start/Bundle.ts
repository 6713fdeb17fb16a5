/** The program as users run it: its bundle, built first when something of it is stale. Only a build that fails says anything. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** Path of the bundle of `peerstrap-m3db`. */
export const builtBundle = (): string => {
  const turbo = ["node_modules/turbo/bin/turbo", "run", "build", "--filter=@peerstrap/m3db-bootstrapper"]
  const { status, stderr, stdout } = spawnSync(process.execPath, [...turbo, "--output-logs=errors-only"], {
    cwd: root,
    encoding: "utf8"
  })
  if (status !== 0) throw new Error(`the build failed:\n${stdout}${stderr}`)
  return `${root}apps/m3db-bootstrapper/dist/bundle/cli.js`
}
