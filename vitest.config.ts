import { defineConfig } from "vitest/config"

// Two workers: by itself vitest leaves one core idle, which on two cores is half of the machine.
export default defineConfig({ test: { projects: ["packages/*", "apps/*", "tests"], maxWorkers: 2 } })
