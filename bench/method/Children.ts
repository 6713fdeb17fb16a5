/** Programs that serve: started, waited for until they say that they are ready, ended with their standard input. And what is left to do at the end. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

export interface Serving<A> {
  /** The one line of JSON with which it said that it is ready. */
  readonly ready: A
  readonly stop: () => void
}

/** Does `end` when this process ends, by itself or by SIGTERM, which is how a benchmark is stopped whose time is up. */
export const whenEnding = (end: () => void): void => {
  // What was begun last is ended first.
  process.prependOnceListener("exit", end)
  if (process.listenerCount("SIGTERM") === 0) process.once("SIGTERM", () => process.exit(143))
}

export const startServing = <A>(script: URL, args: ReadonlyArray<string | number>): Promise<Serving<A>> =>
  new Promise((resolve, reject) => {
    const path = fileURLToPath(script)
    const child = spawn(process.execPath, ["--conditions=@peerstrap/source", path, ...args.map(String)], {
      stdio: ["pipe", "pipe", "inherit"]
    })
    child.on("error", reject)
    child.on("exit", (code) => reject(new Error(`${path} ended with ${code}`)))
    createInterface({ input: child.stdout }).once("line", (line) => {
      resolve({ ready: JSON.parse(line) as A, stop: () => child.stdin.end() })
    })
  })
