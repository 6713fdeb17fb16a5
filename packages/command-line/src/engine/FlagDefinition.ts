/** How the flags of a command are written down: each makes one row of its table from a kind of values and a sentence of help. */
import type { Flag, FlagType } from "../contract/Flag.ts"
import { onOff } from "./FlagType.ts"

const base = { repeatable: false, required: false, defaultText: undefined, fallback: undefined }

/** Undefined when absent. */
export const optional = <A>(type: FlagType<A>, help: string): Flag<A | undefined> => ({ ...base, type, help })

/** Its absence is a problem. */
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
