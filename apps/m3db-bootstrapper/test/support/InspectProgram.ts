// Runs a command line of digest, verify, ls or diff in this process, and keeps what it prints.
import { runProgram } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { program } from "../../src/commands/Commands.ts"

export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

export const runCommand = (...argv: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.suspend(() => {
    const out: Array<string> = []
    const err: Array<string> = []
    return Effect.map(
      runProgram({
        program,
        argv,
        terminal: {
          out: (text) => Effect.sync(() => void out.push(text)),
          error: (text) => void err.push(text),
          isLive: false,
          color: false,
          size: () => ({ columns: 80, rows: 24 })
        },
        stop: Effect.never,
        read: (path) => {
          try {
            return readFileSync(path)
          } catch (cause) {
            return { problem: String(cause) }
          }
        }
      }),
      (code) => ({ code, out: out.join(""), err: err.join("") })
    )
  })

export const linesOf = (text: string): Array<string> => text.split("\n").filter((line) => line !== "")

export const jsonLinesOf = (text: string): Array<any> => linesOf(text).map((line) => JSON.parse(line))

/** A directory of its own that goes with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "peerstrap-inspect-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Copies the files of one directory whose names begin with `prefix`, writable. */
export const copyFiles = (from: string, to: string, prefix: string): void => {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from).filter((each) => each.startsWith(prefix))) {
    copyFileSync(join(from, name), join(to, name))
    chmodSync(join(to, name), 0o644)
  }
}
