import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["@peerstrap/source"] },
  ssr: { resolve: { conditions: ["@peerstrap/source", "node", "import", "default"] } },
  test: { include: ["*.test.ts"], testTimeout: 90_000, maxConcurrency: 2, maxWorkers: 2 }
})
