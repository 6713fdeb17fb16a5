/** Starts a swarm and waits until it serves. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { SwarmFacts } from "./SwarmFacts.ts"

export interface RunningSwarm {
  readonly facts: SwarmFacts
  readonly stop: () => void
}

export const startSwarm = (blocks: number, peers: number, delayMillisEachWay: number): Promise<RunningSwarm> =>
  new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL("Swarm.ts", import.meta.url))
    const args = ["--conditions=@peerstrap/source", script, ...[blocks, peers, delayMillisEachWay].map(String)]
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] })
    child.on("error", reject)
    child.on("exit", (code) => reject(new Error(`the swarm ended with ${code}`)))
    createInterface(child.stdout).once("line", (line) => {
      resolve({ facts: JSON.parse(line) as SwarmFacts, stop: () => child.stdin.end() })
    })
  })
