/**
 * The kinds of values that flags and config keys take: how each is read from text, what is expected in words, an example. Pure; int64
 * times and durations are bigint nanoseconds.
 */
import type { FlagType } from "../contract/Flag.ts"

/** Any text that is not empty, as far as `accept` takes it. */
export const text = (
  placeholder: string,
  expected: string,
  example: string,
  accept: (given: string) => boolean = () => true
): FlagType<string> => ({
  placeholder,
  expected,
  example,
  yaml: ["text"],
  parse: (given) => given === "" || given.includes("\0") || !accept(given) ? undefined : given
})

/** The path of a file or directory; it is not looked at. */
export const path = (placeholder: string, example: string): FlagType<string> => text(placeholder, "a path", example)

/** A whole number within bounds, both included. */
export const integer = (least: number, most: number, example: number): FlagType<number> => ({
  placeholder: "N",
  expected: `a whole number from ${least} to ${most}`,
  example: String(example),
  yaml: ["integer"],
  parse: (given) => {
    const value = /^-?\d{1,16}$/.test(given) ? Number(given) : Number.NaN
    return value >= least && value <= most ? value : undefined
  }
})

/** One of some words. */
export const oneOf = <const A extends string>(words: ReadonlyArray<A>, example: NoInfer<A>): FlagType<A> => ({
  placeholder: words.join("|"),
  expected: `one of ${words.join(", ")}`,
  example,
  // `error-policy: 002` is an integer for YAML; its text in the file is what counts.
  yaml: ["text", "integer"],
  parse: (given) => words.find((word) => word === given)
})

const nanosPerMilli = 1_000_000n
const nanosByUnit: Readonly<Record<string, bigint>> = {
  d: 86_400_000n * nanosPerMilli,
  h: 3_600_000n * nanosPerMilli,
  m: 60_000n * nanosPerMilli,
  s: 1000n * nanosPerMilli,
  ms: nanosPerMilli
}

const maxInt64 = 9_223_372_036_854_775_807n

/** `2h`, `1h30m`, `500ms` to ns. */
export const parseDuration = (given: string): bigint | undefined => {
  if (!/^(?:\d{1,12}(?:d|h|ms|m|s))+$/.test(given) || given.length > 80) return undefined
  let nanos = 0n
  for (const [, count, unit] of given.matchAll(/(\d+)(d|h|ms|m|s)/g)) nanos += BigInt(count!) * nanosByUnit[unit!]!
  return nanos <= maxInt64 ? nanos : undefined
}

/** ns as the shortest of the forms that `parseDuration` reads; what is no whole number of milliseconds in ns. */
export const formatNanosDuration = (nanos: bigint): string => {
  if (nanos % nanosPerMilli !== 0n) return `${nanos}ns`
  let rest = nanos
  let out = ""
  for (const [unit, size] of Object.entries(nanosByUnit)) {
    if (rest < size) continue
    out += `${rest / size}${unit}`
    rest %= size
  }
  return out === "" ? "0s" : out
}

const durationWords = "a duration such as 2h, 10m, 30s, 500ms or 1d"

/** Above zero, in ns. */
export const duration = (example: string): FlagType<bigint> => ({
  placeholder: "DURATION",
  expected: durationWords,
  example,
  yaml: ["text"],
  parse: (given) => {
    const nanos = parseDuration(given)
    return nanos === undefined || nanos === 0n ? undefined : nanos
  }
})

/** Zero and above, in ns. */
export const durationOrZero = (example: string): FlagType<bigint> => ({
  ...duration(example),
  expected: `${durationWords}, or 0s`,
  parse: parseDuration
})

/** Above zero, in ms; what timers take. */
export const millis = (example: string): FlagType<number> => ({
  ...duration(example),
  parse: (given) => {
    const nanos = parseDuration(given)
    if (nanos === undefined || nanos < nanosPerMilli) return undefined
    const value = Number(nanos / nanosPerMilli)
    return value <= 2_147_483_647 ? value : undefined
  },
  expected: `${durationWords}, at most 24d`
})

const byteUnits: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40
}

/** A number of bytes within bounds, both included: `512MiB`, `64MB`, `1048576`. */
export const bytes = (least: number, most: number, example: string): FlagType<number> => ({
  placeholder: "BYTES",
  expected: `a number of bytes such as 512MiB, 64MB or 1048576, from ${least} to ${most}`,
  example,
  yaml: ["text", "integer"],
  parse: (given) => {
    const found = /^(\d{1,16})([KMGT]i?B|B|)$/.exec(given)
    if (found === null) return undefined
    const value = Number(found[1]) * byteUnits[found[2]!]!
    return value >= least && value <= most ? value : undefined
  }
})

const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/

/** RFC 3339 or a plain integer of ns, to ns since 1970. */
export const parseTime = (given: string): bigint | undefined => {
  if (/^\d{1,19}$/.test(given)) {
    const nanos = BigInt(given)
    return nanos <= maxInt64 ? nanos : undefined
  }
  const found = rfc3339.exec(given)
  if (found === null) return undefined
  const [, date, time, fraction = "", zone] = found
  const local = Date.parse(`${date}T${time}Z`)
  // Date accepts February 30 and turns it into March: such a date is refused.
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 19) !== `${date}T${time}`) return undefined
  const millisSinceEpoch = Date.parse(`${date}T${time}${zone!.toUpperCase()}`)
  if (Number.isNaN(millisSinceEpoch)) return undefined
  const nanos = BigInt(millisSinceEpoch) * nanosPerMilli + BigInt(fraction.padEnd(9, "0"))
  return nanos >= 0n && nanos <= maxInt64 ? nanos : undefined
}

/** A time since 1970, in ns. */
export const time: FlagType<bigint> = {
  placeholder: "TIME",
  expected: "a time as RFC 3339 (2026-11-21T10:00:00Z) or as nanoseconds since 1970",
  example: "2026-11-21T10:00:00Z",
  yaml: ["text", "integer"],
  parse: parseTime
}

/** A switch. */
export const onOff: FlagType<boolean> = {
  placeholder: "",
  expected: "true or false",
  example: "",
  yaml: ["boolean"],
  parse: (given) => given === "true" ? true : given === "false" ? false : undefined
}
