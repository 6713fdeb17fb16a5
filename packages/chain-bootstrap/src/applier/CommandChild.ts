/**
 * A child process that answers lines with lines, one at a time. Whatever it does wrong (ends, says nothing that can be read, says too much) becomes one
 * `ApplierFailed` that quotes its last words, and fails every question from then on.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import { ApplierFailed } from "../contract/BlockApplier.ts"
import { storeLimits } from "../contract/StoreLimits.ts"
import { LineReader } from "./CommandProtocol.ts"

export interface ChildOptions {
  readonly command: string
  readonly args: ReadonlyArray<string>
  /** What failures and reports call it. Default: `command`. */
  readonly title?: string
  readonly cwd?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Gets each line of the child's stderr, cut to `storeLimits.applierErrorLineBytes`. */
  readonly onErrorLine?: (line: string) => void
  /** Between the end of its input and the kill. Default `storeLimits.applierStopMillis`. */
  readonly stopMillis?: number
}

const remedy = "Look at why, then start again: the store goes on from the last block that the applier has done"

/** A long command line is told by its beginning. */
const titleLength = 80

const nameOf = ({ command, title = command }: ChildOptions): string =>
  `command ${title.length <= titleLength ? title : `${title.slice(0, titleLength)}…`}`

const cut = (text: string): string =>
  text.length <= storeLimits.applierErrorLineBytes ? text : `${text.slice(0, storeLimits.applierErrorLineBytes)}…`

export class CommandChild {
  readonly name: string
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  private readonly lines = new LineReader(storeLimits.applierLineBytes)
  private readonly errorLines: Array<string> = []
  private readonly onErrorLine: (line: string) => void
  private readonly stopMillis: number
  private errorText = ""
  private readonly errorDecoder = new TextDecoder()
  private waiting: ((line: Effect.Effect<string, ApplierFailed>) => void) | undefined
  /** A line that nobody has waited for yet: only the hello may come unasked. */
  private early: string | undefined
  private heard = 0
  private failure: ApplierFailed | undefined
  private isOver = false
  private onOver: () => void = () => undefined

  constructor(options: ChildOptions) {
    this.name = nameOf(options)
    this.onErrorLine = options.onErrorLine ?? (() => undefined)
    this.stopMillis = options.stopMillis ?? storeLimits.applierStopMillis
    this.child = spawn(options.command, options.args, {
      stdio: ["pipe", "pipe", "pipe"],
      // A process group of its own: a kill reaches what a shell has started, and an interrupt from the terminal does not reach the applier first.
      detached: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } })
    })
    this.child.stdout.on("data", (chunk: Uint8Array) => this.read(chunk))
    this.child.stderr.on("data", (chunk: Uint8Array) => this.readError(chunk))
    // A write to a process that is gone; its end is told by `close`.
    this.child.stdin.on("error", () => undefined)
    this.child.on("error", (cause) => {
      this.fail(`cannot be started: ${cause.message}`)
      this.over()
    })
    this.child.on("close", (code, signal) => {
      this.endErrorLine(true)
      this.fail(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`)
      this.over()
    })
  }

  /** Starts the child; it gets the end of its input when the scope ends, and is killed when it stays. */
  static start(options: ChildOptions): Effect.Effect<CommandChild, ApplierFailed, Scope.Scope> {
    const started = Effect.try({
      try: () => new CommandChild(options),
      catch: (cause) =>
        new ApplierFailed({
          applier: nameOf(options),
          message: `cannot be started: ${cause instanceof Error ? cause.message : String(cause)}`
        })
    })
    return Effect.acquireRelease(started, (child) => child.stop)
  }

  /** The first line of the child. */
  get hello(): Effect.Effect<string, ApplierFailed> {
    const late = "has not said hello in time"
    return this.next(() => undefined, late).pipe(Effect.timeoutOrElse({
      duration: storeLimits.applierHelloMillis,
      orElse: () => Effect.flatMap(this.failed(late), Effect.fail)
    }))
  }

  /** Sends a line and waits for the answer. One question at a time. */
  ask(line: string): Effect.Effect<string, ApplierFailed> {
    return this.next(() => {
      this.child.stdin.write(line)
      this.child.stdin.write("\n")
    }, "was stopped in the middle of a question")
  }

  /** Ends the child for a fault in what it said. */
  failed(what: string): Effect.Effect<ApplierFailed> {
    return Effect.sync(() => this.fail(what))
  }

  /** Waits for the next line; an interruption leaves the child where nobody knows, so it ends it with `stopped` as the reason. */
  private next(send: () => void, stopped: string): Effect.Effect<string, ApplierFailed> {
    return Effect.callback<string, ApplierFailed>((resume) => {
      const early = this.early
      this.early = undefined
      if (this.failure !== undefined) return resume(Effect.fail(this.failure))
      if (early !== undefined) return resume(Effect.succeed(early))
      this.waiting = resume
      send()
      return Effect.sync(() => {
        this.fail(stopped)
      })
    })
  }

  private read(chunk: Uint8Array): void {
    const fits = this.lines.push(chunk, (line) => {
      this.heard++
      const { waiting } = this
      this.waiting = undefined
      if (waiting !== undefined) waiting(Effect.succeed(line))
      else if (this.heard === 1) this.early = line
      else this.fail(`said something unasked: ${cut(line)}`)
    })
    if (!fits) this.fail(`sent a line of more than ${storeLimits.applierLineBytes} bytes`)
  }

  private readError(chunk: Uint8Array): void {
    this.errorText += this.errorDecoder.decode(chunk, { stream: true })
    this.endErrorLine(false)
  }

  private endErrorLine(isEnd: boolean): void {
    const lines = this.errorText.split("\n")
    this.errorText = isEnd ? "" : lines.pop()!.slice(0, storeLimits.applierErrorLineBytes + 1)
    for (const line of lines) {
      if (line === "" && isEnd) continue
      this.errorLines.push(cut(line))
      this.onErrorLine(cut(line))
      if (this.errorLines.length > storeLimits.applierErrorLines) this.errorLines.shift()
    }
  }

  private fail(what: string): ApplierFailed {
    if (this.failure !== undefined) return this.failure
    const words = this.errorLines.length === 0 ? "" : ` Last lines of its stderr:\n${this.errorLines.join("\n")}\n`
    const failure = new ApplierFailed({ applier: this.name, message: `${this.name} ${what}.${words} ${remedy}` })
    this.failure = failure
    const { waiting } = this
    this.waiting = undefined
    waiting?.(Effect.fail(failure))
    if (!this.isOver) this.child.stdin.end()
    return failure
  }

  private over(): void {
    this.isOver = true
    this.onOver()
  }

  private get ended(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (this.isOver) return resume(Effect.void)
      this.onOver = () => resume(Effect.void)
    })
  }

  private get stop(): Effect.Effect<void> {
    const kill = Effect.sync(() => {
      const { pid } = this.child
      if (pid !== undefined && !this.isOver) process.kill(-pid, "SIGKILL")
    })
    return Effect.andThen(
      Effect.sync(() => {
        if (!this.isOver) this.child.stdin.end()
      }),
      Effect.timeoutOrElse(this.ended, {
        duration: this.stopMillis,
        orElse: () => Effect.andThen(kill, this.ended)
      })
    )
  }
}
