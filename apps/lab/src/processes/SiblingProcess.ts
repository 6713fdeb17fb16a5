/** Runs a sibling program of this repository: its standard output whole, its standard error line by line. Ends with the scope. */
import { CommandError } from "@peerstrap/command-line"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { siblingProgram } from "./OwnProgram.ts"

export interface ProcessEnd {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly stdout: string
}

export interface RunningProgram {
  readonly pid: number
  readonly ended: Effect.Effect<ProcessEnd>
}

/** A result is one document of at most a few MB; more is not kept. */
const maxStdoutBytes = 64 << 20

/** A program that was asked to stop writes its report first. */
const stopMillis = 5_000

/** Preloaded into the program: when this process is gone, however it ended, its standard input ends and it stops in order. */
const stopWithParent = "data:text/javascript," + encodeURIComponent(
  "process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM')).on('error', () => {}).resume().unref()"
)

const collect = (stdout: NodeJS.ReadableStream): () => string => {
  const decoder = new TextDecoder()
  const parts: Array<string> = []
  let bytes = 0
  stdout.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length
    if (bytes <= maxStdoutBytes) parts.push(decoder.decode(chunk, { stream: true }))
  })
  return () => parts.join("") + decoder.decode()
}

const launch = (folder: string, args: ReadonlyArray<string>, onErrorLine: (line: string) => void) => {
  const program = siblingProgram(folder)
  if ("missing" in program) {
    return Effect.fail(
      new CommandError({
        exitCode: 4,
        message: `${program.missing} is not there`,
        remedy: "build the repository: npm run build"
      })
    )
  }
  return Effect.sync(() => {
    const child = spawn(program.command, ["--import", stopWithParent, ...program.args, ...args], {
      stdio: ["pipe", "pipe", "pipe"]
    })
    child.stdin.on("error", () => undefined)
    const stdout = collect(child.stdout)
    createInterface({ input: child.stderr }).on("line", onErrorLine)
    const end = Deferred.makeUnsafe<ProcessEnd>()
    const finish = (code: number | null, signal: string | null) =>
      Deferred.doneUnsafe(
        end,
        Effect.succeed({ exitCode: code ?? undefined, signal: signal ?? undefined, stdout: stdout() })
      )
    child.once("close", finish)
    child.once("error", (error) => {
      onErrorLine(error.message)
      finish(4, null)
    })
    return { child, ended: Deferred.await(end) }
  })
}

/** Starts `folder`'s program. When the scope closes before its end it is asked to stop, and killed if it does not. */
export const startSibling = Effect.fnUntraced(
  function*(folder: string, args: ReadonlyArray<string>, onErrorLine: (line: string) => void) {
    const { child, ended } = yield* Effect.acquireRelease(
      launch(folder, args, onErrorLine),
      ({ child, ended }) =>
        Effect.sync(() => child.kill("SIGTERM")).pipe(
          Effect.andThen(Effect.timeoutOption(ended, stopMillis)),
          Effect.andThen(Effect.sync(() => child.kill("SIGKILL"))),
          Effect.asVoid
        )
    )
    return { pid: child.pid ?? -1, ended } satisfies RunningProgram
  }
)
