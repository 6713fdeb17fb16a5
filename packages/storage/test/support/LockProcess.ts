/** Another process that reaches for a lock when it is told to, and is killed with SIGKILL at the latest when the scope ends. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("holdLock.ts", import.meta.url))

const start = async (path: string) => {
  const child = spawn(process.execPath, ["--conditions=@peerstrap/source", program, path], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => {
    const { value } = await lines.next() as { readonly value: string | undefined }
    return value ?? "the process has ended"
  }
  const tell = (word: string): Promise<string> => {
    child.stdin.write(`${word}\n`)
    return next()
  }
  await next()
  return {
    pid: child.pid!,
    /** Answers `held`, or why not. */
    reach: (): Promise<string> => tell("reach"),
    /** Answers `free`. */
    free: (): Promise<string> => tell("free"),
    kill: (): Promise<void> => {
      child.kill("SIGKILL")
      return ended
    }
  }
}

export const lockProcess = (path: string) =>
  Effect.acquireRelease(Effect.promise(() => start(path)), ({ kill }) => Effect.promise(kill))
