/**
 * The flags of a command as one table: from it come the parsing of the command line, the keys of the config file, validation and help.
 * A flag is named by its key: `numShards` is `--num-shards` and `num-shards:` in YAML.
 */

/** A scalar as it was given: text of the command line, or a YAML scalar with its own type and its text in the file. */
export interface Given {
  readonly kind: "text" | "integer" | "number" | "boolean"
  readonly text: string
}

/** A kind of values: how it is read from text, what is expected in words, an example. `Type` has the usual ones. */
export interface FlagType<A> {
  /** Placeholder in help, e.g. `DURATION`; empty for a switch, which takes no value. */
  readonly placeholder: string
  /** e.g. `a duration such as 2h, 10m, 30s, 500ms or 1d`. */
  readonly expected: string
  readonly example: string
  /** YAML scalars that may stand for the text of the command line. */
  readonly yaml: ReadonlyArray<Given["kind"]>
  /** Undefined when the text is no such value. */
  readonly parse: (text: string) => A | undefined
  /** Says of a text that `parse` does not take more than `expected` can. What it repeats of the text goes through `shown`. */
  readonly explain?: (text: string) => string
}

/** One flag of a command; `A` is the type of its value. */
export interface Flag<A> {
  readonly type: FlagType<unknown>
  /** One sentence or two without the default. */
  readonly help: string
  readonly repeatable: boolean
  readonly required: boolean
  /** As written in help, undefined when there is none. */
  readonly defaultText: string | undefined
  /** What the settings hold when nothing is given. */
  readonly fallback: unknown
  /** Only for its type. */
  readonly result?: A
}

/** The flags of a command by key. */
export type Flags = Readonly<Record<string, Flag<unknown>>>

/** What a command gets: one value a flag. */
export type Settings<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer A> ? A : never }
