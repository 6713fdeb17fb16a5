/** What demonstrations keep: the directory that they write, and the last messages of the programs that they run. */
import { CommandError } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

/** Lines of a program that are no progress and are shown when it fails. */
const keptMessages = 20

/** Undefined: a fresh directory for temporary files. */
export const makeDirectory = (out: string | undefined): Effect.Effect<string, CommandError> =>
  Effect.try({
    try: () => {
      if (out === undefined) return mkdtempSync(join(tmpdir(), "peerstrap-demo-"))
      const path = resolve(out)
      mkdirSync(path, { recursive: true })
      return path
    },
    catch: (cause) =>
      new CommandError({
        exitCode: 4,
        message: `the output directory cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`,
        remedy: "choose another one with --out"
      })
  })

/** Lines of `--json` progress are objects; anything else is for people. */
export const messagesOf = () => {
  const messages: Array<string> = []
  return {
    messages,
    take: (line: string) => {
      if (line.startsWith("{")) return
      messages.push(line)
      if (messages.length > keptMessages) messages.shift()
    }
  }
}
