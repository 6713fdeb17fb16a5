/**
 * A process of this very program that serves something: gets its plan on the first line of its standard input, answers on the first line of
 * its standard output, and ends with the scope, or by itself when this process is gone, however that ended.
 */
import { CommandError } from "@peerstrap/command-line"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { ownProgram } from "./OwnProgram.ts"

/** What such a process says when it cannot serve. */
export interface Refusal {
  readonly problem: string
}

export interface OwnProcessOptions {
  /** The internal command that it runs. */
  readonly command: string
  /** One line. */
  readonly plan: string
  readonly maxHeapMebibytes: number
  /** For messages, e.g. `replica A at 127.0.0.1:9000`. */
  readonly what: string
  /** The lines after its answer. */
  readonly onLine?: (line: string) => void
}

export interface OwnProcess<A> {
  readonly pid: number
  readonly answer: A
  /** Writes a line to its standard input. */
  readonly send: (line: string) => void
  /** How it ended, e.g. `killed by SIGKILL`; completes when it does. */
  readonly ended: Effect.Effect<string>
}

type Child = ChildProcessByStdio<Writable, Readable, null>

const launch = ({ command, maxHeapMebibytes, plan }: OwnProcessOptions): Child => {
  const program = ownProgram()
  const args = [`--max-old-space-size=${maxHeapMebibytes}`, ...program.args, command]
  const child = spawn(program.command, args, { stdio: ["pipe", "pipe", "inherit"] })
  // A process that ended early is told by its exit, not by the pipe.
  child.stdin.on("error", () => undefined)
  child.stdin.write(`${plan}\n`)
  return child
}

const endOf = (code: number | null, signal: string | null): string =>
  signal === null ? `ended with exit code ${code}` : `killed by ${signal}`

const answerOf = <A>(child: Child, onLine: (line: string) => void): Effect.Effect<A | Refusal> =>
  Effect.callback<A | Refusal>((resume) => {
    const fail = (problem: string) => resume(Effect.succeed({ problem }))
    let answered = false
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (answered) return onLine(line)
      answered = true
      resume(Effect.sync(() => JSON.parse(line)))
    })
    child.once("error", (error) => fail(error.message))
    child.once("close", (code, signal) => fail(`the process ended before it served (${endOf(code, signal)})`))
  })

const kill = (child: Child, ended: Effect.Effect<string>): Effect.Effect<void> =>
  Effect.andThen(Effect.sync(() => child.kill("SIGKILL")), Effect.asVoid(ended))

/** Serves when this completes. `A`: its answer, as JSON has it. */
export const startOwnProcess = <A extends object>(options: OwnProcessOptions) =>
  Effect.gen(function*() {
    const end = Deferred.makeUnsafe<string>()
    const ended = Deferred.await(end)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = launch(options)
        child.once("exit", (code, signal) => Deferred.doneUnsafe(end, Effect.succeed(endOf(code, signal))))
        child.once("error", (error) => Deferred.doneUnsafe(end, Effect.succeed(error.message)))
        return child
      }),
      (child) => kill(child, ended)
    )
    const answer = yield* answerOf<A>(child, options.onLine ?? (() => undefined))
    if ("problem" in answer || child.pid === undefined) {
      return yield* new CommandError({
        exitCode: 4,
        message: `${options.what} does not start: ${"problem" in answer ? answer.problem : "no process"}`,
        remedy: "choose an address of this machine and free ports (--host, --base-port 0 takes any)"
      })
    }
    const process: OwnProcess<A> = {
      pid: child.pid,
      answer,
      send: (line) => void child.stdin.write(`${line}\n`),
      ended
    }
    return process
  })
