import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { conditions: ["@peerstrap/source"] },
  ssr: { resolve: { conditions: ["@peerstrap/source", "node", "import", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    sequence: { concurrent: true },
    // Files of a package share their modules, loaded and compiled once a worker: half of the processor's time. No test of a package keeps
    // anything in a module. Programs, whose tests do, are isolated: see apps/*/vitest.config.ts.
    isolate: false,
    // By itself vitest leaves one core idle, which on two cores is half of the machine.
    maxWorkers: 2,
    // Nothing is timed by a test: a loaded machine may take long and must not fail one.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    coverage: { provider: "v8", include: ["src/**"] }
  }
})
