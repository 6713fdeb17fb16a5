import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["@peerstrap/source"] },
  ssr: { resolve: { conditions: ["@peerstrap/source", "node", "import", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    sequence: { concurrent: true },
    coverage: { provider: "v8", include: ["src/**"] }
  }
})
