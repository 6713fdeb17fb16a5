/**
 * The flags of a command as one table: parsing, validation and help all come from it. A flag is named by its key: `blockSize` is
 * `--block-size`.
 */

/** Why a value is refused, in words that follow the flag's name. */
export class Refused {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

export interface FlagType<A> {
  /** e.g. `DURATION`; empty for a switch. */
  readonly placeholder: string
  readonly parse: (text: string) => A | Refused
}

export interface Flag<A> {
  readonly type: FlagType<unknown>
  readonly help: string
  readonly repeatable: boolean
  /** As help shows it, undefined when there is none. */
  readonly defaultText: string | undefined
  /** The setting when nothing is given. */
  readonly fallback: unknown
  /** Only for its type. */
  readonly result?: A
}

export type Flags = Readonly<Record<string, Flag<unknown>>>
export type Settings<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer A> ? A : never }

const once = { repeatable: false, defaultText: undefined, fallback: undefined }

/** Control characters of what was given must not reach the terminal; long texts are cut. */
export const shown = (given: string): string =>
  JSON.stringify(given.length > 80 ? `${given.slice(0, 80)}…` : given).replace(/[\u007f-\u009f]/g, "?")

export const text = (placeholder: string, expected: string, accept: (text: string) => boolean): FlagType<string> => ({
  placeholder,
  parse: (given) => given !== "" && accept(given) ? given : new Refused(`${shown(given)} is not ${expected}`)
})

export const integer = (least: number, most: number): FlagType<number> => ({
  placeholder: "N",
  parse: (given) => {
    const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
    return value >= least && value <= most
      ? value
      : new Refused(`${shown(given)} is not a whole number from ${least} to ${most}`)
  }
})

export const oneOf = <const A extends string>(words: ReadonlyArray<A>): FlagType<A> => ({
  placeholder: words.join("|"),
  parse: (given) =>
    words.find((word) => word === given) ?? new Refused(`${shown(given)} is not one of ${words.join(", ")}`)
})

const nanosPerSecond = 1_000_000_000n
const nanosByUnit: Readonly<Record<string, bigint>> = {
  h: 3_600n * nanosPerSecond,
  m: 60n * nanosPerSecond,
  s: nanosPerSecond
}

/** `2h`, `90m`, `30s`, above zero, to ns. */
export const duration: FlagType<bigint> = {
  placeholder: "DURATION",
  parse: (given) => {
    const found = /^(\d{1,9})([hms])$/.exec(given)
    const nanos = found === null ? 0n : BigInt(found[1]!) * nanosByUnit[found[2]!]!
    return nanos > 0n ? nanos : new Refused(`${shown(given)} is not a duration such as 2h, 90m or 30s`)
  }
}

const maxInt64 = 9_223_372_036_854_775_807n

/** RFC 3339 in UTC or ns since 1970, to ns. */
export const time: FlagType<bigint> = {
  placeholder: "TIME",
  parse: (given) => {
    const isDate = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(given)
    const millis = isDate ? Date.parse(given) : Number.NaN
    // Date takes February 30 for March 2: such a date is refused.
    const exists = !Number.isNaN(millis) && millis >= 0 &&
      new Date(millis).toISOString().slice(0, 19) === given.slice(0, 19)
    if (exists) return BigInt(millis) * 1_000_000n
    const nanos = /^\d{1,19}$/.test(given) ? BigInt(given) : maxInt64 + 1n
    return nanos <= maxInt64
      ? nanos
      : new Refused(`${shown(given)} is not a time such as 2026-11-21T10:00:00Z or nanoseconds since 1970`)
  }
}

const onOff: FlagType<boolean> = {
  placeholder: "",
  parse: (given) =>
    given === "true" ? true : given === "false" ? false : new Refused(`${shown(given)} is neither true nor false`)
}

export const optional = <A>(type: FlagType<A>, help: string): Flag<A | undefined> => ({ ...once, type, help })

/** `defaultText` is read as if it was given; one that is refused is a defect. */
export const withDefault = <A>(type: FlagType<A>, defaultText: string, help: string): Flag<A> => {
  const fallback = type.parse(defaultText)
  if (fallback instanceof Refused) throw new RangeError(`default: ${fallback.message}`)
  return { ...once, type, help, defaultText, fallback }
}

/** Absent, but help says what is taken then. */
export const derived = <A>(type: FlagType<A>, defaultText: string, help: string): Flag<A | undefined> => ({
  ...once,
  type,
  help,
  defaultText
})

export const many = <A>(type: FlagType<A>, help: string): Flag<ReadonlyArray<A>> => ({
  ...once,
  type,
  help,
  repeatable: true,
  fallback: []
})

export const toggle = (help: string): Flag<boolean> => ({ ...once, type: onOff, help, fallback: false })

/** `blockSize` to `block-size`. */
export const flagName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
