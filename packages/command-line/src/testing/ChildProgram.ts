/** Runs a program as a process of its own, as a user does. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"

/** How a program ended, and all that it wrote. */
export interface ProgramEnd {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A process that runs. */
export interface Child {
  readonly end: Effect.Effect<ProgramEnd>
  /** Completes when standard error holds the text; a defect when the process ends before. */
  readonly says: (text: RegExp) => Effect.Effect<void>
  /** The same, with what was found. */
  readonly finds: (text: RegExp) => Effect.Effect<RegExpExecArray>
  /** Closes our end of its standard output. */
  readonly closeOut: Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
}

/** Starts a program as processes. */
export interface ChildProgram {
  /** The process is killed when the scope closes. */
  readonly startChild: (...argv: ReadonlyArray<string>) => Effect.Effect<Child, never, Scope.Scope>
  readonly runChild: (...argv: ReadonlyArray<string>) => Effect.Effect<ProgramEnd>
}

const startProcess = (main: string, argv: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["--conditions=@peerstrap/source", main, ...argv], {
        stdio: ["ignore", "pipe", "pipe"]
      })
      const texts = { out: "", err: "" }
      child.stdout.setEncoding("utf8").on("data", (text: string) => void (texts.out += text))
      child.stderr.setEncoding("utf8").on("data", (text: string) => void (texts.err += text))
      return { child, texts }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

/** `main` is the path of the program's main module, run from its sources. */
export const childProgram = (main: string): ChildProgram => {
  const startChild: ChildProgram["startChild"] = (...argv) =>
    Effect.map(startProcess(main, argv), ({ child, texts }): Child => {
      const finds = (text: RegExp): Effect.Effect<RegExpExecArray> =>
        Effect.callback<RegExpExecArray>((resume) => {
          const look = (): void => {
            const found = text.exec(texts.err)
            if (found !== null) resume(Effect.succeed(found))
          }
          look()
          child.stderr.on("data", look)
          child.once("close", () => {
            resume(Effect.die(new Error(`ended without saying ${text}: ${texts.err}${texts.out}`)))
          })
        })
      return {
        end: Effect.callback<ProgramEnd>((resume) => {
          child.once("close", (code) => resume(Effect.succeed({ code, ...texts })))
        }),
        finds,
        says: (text) => Effect.asVoid(finds(text)),
        closeOut: Effect.sync(() => void child.stdout.destroy()),
        signal: (signal) => Effect.sync(() => void child.kill(signal))
      }
    })
  return {
    startChild,
    runChild: (...argv) => Effect.scoped(Effect.flatMap(startChild(...argv), (child) => child.end))
  }
}
