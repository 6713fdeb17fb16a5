/** What demonstrations keep: the directory that they write, and the last messages of the programs that they run. */
import { CommandError } from "@peerstrap/command-line"
import { NodeFileSystem } from "@peerstrap/storage"
import * as Effect from "effect/Effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

/** Lines of a program that are no progress and are shown when it fails. */
const keptMessages = 20

const refused = (cause: unknown): CommandError =>
  new CommandError({
    exitCode: 4,
    message: `the output directory cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`,
    remedy: "choose another one with --out"
  })

/** Undefined: a fresh directory for temporary files. */
export const makeDirectory = (out: string | undefined): Effect.Effect<string, CommandError> => {
  if (out === undefined) {
    return Effect.try({ try: () => mkdtempSync(join(tmpdir(), "peerstrap-demo-")), catch: refused })
  }
  const path = resolve(out)
  return NodeFileSystem.fileSystem.makeDirectory(path).pipe(Effect.as(path), Effect.mapError(refused))
}

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
