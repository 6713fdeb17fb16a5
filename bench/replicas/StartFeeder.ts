/** Starts the feeder and waits until it serves. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

export interface RunningFeeder {
  readonly port: number
  /** Of all block answers together, frames included. */
  readonly bytes: number
  readonly count: number
  readonly batchItems: number
  readonly stop: () => void
}

export const startFeeder = (blockBytes: number, mebibytes: number): Promise<RunningFeeder> =>
  new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL("Feeder.ts", import.meta.url))
    const args = ["--conditions=@peerstrap/source", script, String(blockBytes), String(mebibytes)]
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] })
    child.on("error", reject)
    child.on("exit", (code) => reject(new Error(`the feeder ended with ${code}`)))
    createInterface(child.stdout).once("line", (line) => {
      resolve({ ...(JSON.parse(line) as Omit<RunningFeeder, "stop">), stop: () => child.stdin.end() })
    })
  })
