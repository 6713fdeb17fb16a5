/** Runs a command line of a whole program in this process: much faster than a process of its own, without signals. */
import * as Effect from "effect/Effect"
import { readInputFile } from "../adapter/InputFile.ts"
import { runProgram } from "../adapter/Program.ts"
import type { Program } from "../contract/Program.ts"
import type { ProgramEnd } from "./ChildProgram.ts"

/** `inProcess(program)("verify", "DIR")` gives exit code and texts. Input files are read from disk; nobody ever asks it to stop. */
export const inProcess = (program: Program) => (...argv: ReadonlyArray<string>): Effect.Effect<ProgramEnd> =>
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
        read: readInputFile
      }),
      (code) => ({ code, ...texts })
    )
  })
