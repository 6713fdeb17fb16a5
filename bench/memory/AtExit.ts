/** Preloaded into the process that is measured: writes what the process itself knows of its memory and CPU time when it ends. */
import { readFileSync, writeFileSync } from "node:fs"

export interface AtExit {
  /** Highest resident memory of the process's whole life. */
  readonly peakBytes: number
  /** User and system time from the start of the process. */
  readonly cpuSeconds: number
}

/** Names the file that is written. */
export const variable = "PEERSTRAP_BENCH_AT_EXIT"

const path = process.env[variable]

if (path !== undefined) {
  process.on("exit", () => {
    const highWater = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))
    const { system, user } = process.cpuUsage()
    const told: AtExit = { peakBytes: Number(highWater?.[1]) * 1024, cpuSeconds: (user + system) / 1e6 }
    writeFileSync(path, JSON.stringify(told))
  })
}
