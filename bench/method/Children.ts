/** Programs of this folder that serve: started, waited for until they say that they are ready, ended with their standard input. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

export interface Serving<A> {
  /** The one line of JSON with which it said that it is ready. */
  readonly ready: A
  readonly stop: () => void
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
