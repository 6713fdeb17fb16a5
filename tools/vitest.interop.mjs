// Runs interop/*.test.ts: tests against a real m3dbnode, whose path the launcher puts into PEERSTRAP_M3DBNODE. One at a time,
// because the node's ports and directories are shared.
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["@peerstrap/source"] },
  ssr: { resolve: { conditions: ["@peerstrap/source", "node", "import", "default"] } },
  test: {
    root: fileURLToPath(new URL("..", import.meta.url)),
    include: ["interop/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 120_000
  }
})
