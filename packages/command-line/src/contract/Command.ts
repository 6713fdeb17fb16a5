/**
 * A command of a program: flags, help and what it does.
 *
 *   export const verify = command({ name: "verify", summary: "…", operands: { name: "DIR", least: 1, most: 1, help: "…" },
 *     flags: { namespace: optional(text(…), "…") }, examples: [{ args: "verify /var/lib/m3db", says: "…" }],
 *     run: ({ operands, settings, terminal }) => Effect.succeed({ exitCode: ExitCode.done, text: "…\n", json: { … } }) })
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CommandError, ExitCode } from "./ExitCode.ts"
import type { Flags, Settings } from "./Flag.ts"
import type { Problem } from "./Problem.ts"
import type { StopRequest, Terminal } from "./Terminal.ts"

/** The end of a command. With `--json` standard output gets `{command, exitCode, ...json}` as its last line, else `text`. */
export interface CommandResult {
  readonly exitCode: ExitCode
  /** Ends with a newline, or is empty when everything was written on the way. */
  readonly text: string
  /** Plain values; a bigint is written as a decimal string. Without it nothing closes what the command wrote on the way. */
  readonly json?: Readonly<Record<string, unknown>>
  /** Why there is no better result: goes to standard error, and into the JSON document, if there is one, as `error`. */
  readonly error?: { readonly message: string; readonly remedy: string }
}

/** What checks may look at beside the settings. */
export interface CheckContext {
  readonly nowNanos: bigint
  /**
   * The bytes of a local input file (a placement), or why it cannot be read. At most 16 MiB, or `maxBytes`. A pipe is read to its end: what it
   * says is not there a second time.
   */
  readonly read: (path: string, maxBytes?: number) => Uint8Array | { readonly problem: string }
}

/** The config file that `--config` named, as text. */
export interface ConfigText {
  readonly path: string
  readonly text: string
}

/**
 * Where each flag was given, as problems name it, by the flag's key: `--memory`, `run.yaml:3:3 memory`, or both, the command line first. What
 * only has its default is not in it.
 */
export type GivenFlags = ReadonlyMap<string, ReadonlyArray<string>>

/** What is known of a command line when `resolve` looks at it. */
export interface FoundSettings<F extends Flags, P> {
  readonly settings: Partial<Settings<F>>
  /** Undefined when flags are wrong or missing, which is told beside what `resolve` finds. */
  readonly plan: P | undefined
  readonly file: ConfigText | undefined
  readonly given: GivenFlags
}

/** What a command runs on. */
export interface CommandInput<F extends Flags, P, R = undefined> {
  readonly settings: Settings<F>
  readonly operands: ReadonlyArray<string>
  /** What `check` made. */
  readonly plan: P
  /** What `resolve` made. */
  readonly resolved: R
  /** `--json` was given: standard output is for JSON alone. */
  readonly json: boolean
  readonly terminal: Terminal
  readonly stop: StopRequest
}

/** Arguments that are no flags. */
export interface Operands {
  /** e.g. `DIR`. */
  readonly name: string
  readonly least: number
  readonly most: number
  readonly help: string
}

/** A command line that works, for help. */
export interface Example {
  /** What stands after the program's name. */
  readonly args: string
  readonly says: string
}

/** One command. A flag called `json` may be among its flags to say what `--json` prints; it must be a switch. */
export interface Command<F extends Flags = Flags, P = unknown, R = unknown> {
  readonly name: string
  /** One sentence without a full stop. */
  readonly summary: string
  /** Further paragraphs of the help, each a line or several. */
  readonly details?: ReadonlyArray<string>
  readonly operands?: Operands
  readonly flags: F
  readonly examples: ReadonlyArray<Example>
  /**
   * Rules between flags, and the plan for `run`. Settings that were given wrongly or are missing are `undefined` here; each problem found
   * is told beside those of the single flags. No I/O but `context.read`. What it returns counts only without problems.
   */
  readonly check?: (
    settings: Partial<Settings<F>>,
    operands: ReadonlyArray<string>,
    context: CheckContext,
    problem: (problem: Problem) => void
  ) => P
  /**
   * What the config file says beside the flags. Its problems are told in one report with those of the flags; what it returns counts only
   * without any. It may load modules that the file names, and does no other I/O.
   */
  readonly resolve?: (found: FoundSettings<F, P>) => Effect.Effect<R, ReadonlyArray<Problem>>
  /** True: SIGINT and SIGTERM only complete `input.stop`, the command ends itself. Else they interrupt it. */
  readonly stopsItself?: boolean
  /**
   * True: with `--json` standard output has nothing but the lines that the command writes itself. Problems and errors are JSON lines on
   * standard error, and a signal leaves none.
   */
  readonly linesOnly?: boolean
  /** True: it has no `--config`, and the config file no section with its flags. */
  readonly noConfigFile?: boolean
  /** True: not in help and not in the config file; for processes that the program starts itself. */
  readonly internal?: boolean
  readonly run: (input: CommandInput<F, P, R>) => Effect.Effect<CommandResult, CommandError, Scope.Scope>
}

/** Keeps the types of flags and plan together while a command is written, then forgets them for the list. */
export const command = <const F extends Flags, P = undefined, R = undefined>(definition: Command<F, P, R>): Command =>
  definition as unknown as Command
