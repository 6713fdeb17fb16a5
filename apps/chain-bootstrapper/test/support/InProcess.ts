// Runs a command line of the whole program in this process: much faster than a process of its own, without signals.
import { runProgram } from "@peerstrap/command-line"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { program } from "../../src/commands/Commands.ts"
import type { ChildEnd } from "./ChildProgram.ts"

export const runHere = (...argv: ReadonlyArray<string>): Effect.Effect<ChildEnd> =>
  Effect.suspend(() => {
    const texts = { out: "", err: "" }
    return Effect.map(
      runProgram({
        program,
        argv,
        terminal: {
          out: (text) => Effect.sync(() => void (texts.out += text)),
          error: (text) => void (texts.err += text),
          isLive: false,
          color: false,
          size: () => ({ columns: 80, rows: 24 })
        },
        stop: Effect.never,
        read: (path) => {
          try {
            return readFileSync(path)
          } catch (cause) {
            return { problem: `${path} cannot be read: ${String(cause)}` }
          }
        }
      }),
      (code) => ({ code, ...texts })
    )
  })
