/**
 * The flags of a command as one table: from it come the parsing of the command line, the keys of the config file, validation and help.
 * A flag is named by its key: `numShards` is `--num-shards` and `num-shards:` in YAML.
 */
import { type FlagType, onOff } from "./FlagType.ts"

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

export type Flags = Readonly<Record<string, Flag<unknown>>>

/** What a command gets: one value a flag. */
export type Settings<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer A> ? A : never }

const base = { repeatable: false, required: false, defaultText: undefined, fallback: undefined }

export const optional = <A>(type: FlagType<A>, help: string): Flag<A | undefined> => ({ ...base, type, help })

export const required = <A>(type: FlagType<A>, help: string): Flag<A> => ({ ...base, type, help, required: true })

/** `defaultText` is read like a value from the command line: a wrong one is a defect that `withDefault` throws at once. */
export const withDefault = <A>(type: FlagType<A>, defaultText: string, help: string): Flag<A> => {
  const fallback = type.parse(defaultText)
  if (fallback === undefined) throw new RangeError(`default ${defaultText} is not ${type.expected}`)
  return { ...base, type, help, defaultText, fallback }
}

/** Absent, but help says what is taken then. */
export const derived = <A>(type: FlagType<A>, defaultText: string, help: string): Flag<A | undefined> => ({
  ...base,
  type,
  help,
  defaultText
})

/** May be given many times; a list in YAML. Empty when absent. */
export const many = <A>(type: FlagType<A>, help: string): Flag<ReadonlyArray<A>> => ({
  ...base,
  type,
  help,
  repeatable: true,
  fallback: []
})

/** On or off, off by default. `--resume`, `--resume=false`. */
export const toggle = (help: string): Flag<boolean> => ({ ...base, type: onOff, help, fallback: false })

/** `numShards` to `num-shards`. */
export const flagName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
