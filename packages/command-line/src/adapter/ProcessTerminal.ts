/**
 * Standard output and error of the process, and its signals. A reader that went away (EPIPE) is no error of ours; results that cannot be
 * written for any other reason are.
 */
import { wantsColor } from "@peerstrap/progress"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { fstatSync, writeSync } from "node:fs"
import { commandLineLimits } from "../contract/CommandLineLimits.ts"
import { CommandError, ExitCode } from "../contract/ExitCode.ts"
import type { StopRequest, StopSignal, Terminal } from "../contract/Terminal.ts"

/** The streams of a process, which ends. */
export interface ProcessTerminal extends Terminal {
  /** Waits until standard error has taken what was written; not for ever (`lastWordsMillis`). */
  readonly flush: Effect.Effect<void>
}

const goneCodes: ReadonlySet<string> = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"])

/** Whether nobody reads any more: of a terminal, EIO says so. */
const isGone = (error: NodeJS.ErrnoException): boolean =>
  goneCodes.has(error.code ?? "") || (error.code === "EIO" && process.stdout.isTTY === true)

const isFile = (descriptor: number): boolean => {
  try {
    return fstatSync(descriptor).isFile()
  } catch {
    return false
  }
}

/** Node's stream writes once to a file and takes for done what a disk that fills up took only a part of. */
const writeWhole = (descriptor: number, text: string): NodeJS.ErrnoException | undefined => {
  const bytes = new TextEncoder().encode(text)
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
    return undefined
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
}

/** Standard output: writes, and how the program ends after one that failed. */
const processOutput = (): Required<Pick<Terminal, "broken" | "out">> => {
  const broken = Deferred.makeUnsafe<CommandError>()
  const toFile = isFile(1)
  let isOver = false
  /** Whether whoever wrote may go on. */
  const settle = (error: NodeJS.ErrnoException | null | undefined): boolean => {
    if (error === null || error === undefined || isOver) return true
    isOver = true
    if (isGone(error)) return true
    const message = `standard output cannot be written: ${error.message}`
    const remedy = "free space where it goes, or send it elsewhere; what was written so far is not whole"
    Deferred.doneUnsafe(broken, Effect.succeed(new CommandError({ exitCode: ExitCode.local, message, remedy })))
    return false
  }
  process.stdout.on("error", settle)
  const write = (text: string, done: (error?: NodeJS.ErrnoException | null) => void): void =>
    toFile ? done(writeWhole(1, text)) : void process.stdout.write(text, done)
  return {
    broken: Deferred.await(broken),
    out: (text) =>
      Effect.callback<void>((resume) => {
        if (isOver || text === "") return resume(Effect.void)
        write(text, (error) => {
          if (settle(error)) resume(Effect.void)
        })
      })
  }
}

/** The process's own streams. */
export const processTerminal = (): ProcessTerminal => {
  process.stderr.on("error", () => undefined)
  const { lastWordsMillis, maxErrorBacklogBytes } = commandLineLimits
  const isLive = process.stderr.isTTY === true && process.env["TERM"] !== "dumb"
  let dropped = 0
  return {
    ...processOutput(),
    error: (text, isLast = false) => {
      if (text === "") return
      if (isLast || process.stderr.writableLength < maxErrorBacklogBytes) process.stderr.write(text)
      else dropped++
    },
    numDropped: () => dropped,
    flush: Effect.callback<void>((resume) => void process.stderr.write("", () => resume(Effect.void))).pipe(
      Effect.timeoutOption(lastWordsMillis),
      Effect.asVoid
    ),
    isLive,
    color: wantsColor(isLive, process.env["NO_COLOR"]),
    size: () => ({ columns: process.stderr.columns ?? 80, rows: process.stderr.rows ?? 24 })
  }
}

/**
 * A Ctrl-C reaches every process of the terminal: where a launcher stands before us (an older Node, npx) it passes the same signal
 * on a moment later. So soon nobody presses twice.
 */
const sameSignalMillis = 250

/** Listens for both signals from now on. */
export const processStop = (): { readonly request: StopRequest } => {
  const asked = Deferred.makeUnsafe<StopSignal>()
  let first: StopSignal | undefined
  let firstAtMillis = 0
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (first !== undefined) {
        if (signal === first && performance.now() - firstAtMillis < sameSignalMillis) return
        process.exit(signal === "SIGINT" ? 130 : 143)
      }
      first = signal
      firstAtMillis = performance.now()
      Deferred.doneUnsafe(asked, Effect.succeed(signal))
    })
  }
  return { request: Deferred.await(asked) }
}
