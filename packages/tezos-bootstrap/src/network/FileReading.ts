/** Reads the keys of a parsed JSON object one by one, collects every problem with the path of its key, and finds keys that nobody asked for. */
import { TezosLimits } from "../contract/TezosLimits.ts"
import { didYouMean } from "./Nearest.ts"

export class Problems {
  readonly list: Array<string> = []
  private more = 0

  add(path: string, problem: string): undefined {
    if (this.list.length < TezosLimits.networkProblems) this.list.push(path === "" ? problem : `${path}: ${problem}`)
    else this.more++
    return undefined
  }

  all(): ReadonlyArray<string> {
    return this.more === 0 ? this.list : [...this.list, `and ${this.more} more problems`]
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What a value is, for a message. */
export const shown = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text === undefined ? "nothing" : text.length > 80 ? `${text.slice(0, 77)}…` : text
}

export class FileReading {
  private readonly object: Readonly<Record<string, unknown>>
  private readonly path: string
  private readonly problems: Problems
  private readonly asked: Array<string> = []

  constructor(object: Readonly<Record<string, unknown>>, path: string, problems: Problems) {
    this.object = object
    this.path = path
    this.problems = problems
  }

  pathOf(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`
  }

  private value(key: string): unknown {
    this.asked.push(key)
    return Object.hasOwn(this.object, key) ? this.object[key] : undefined
  }

  /** A key that must be there; `read` answers a text to say what is wrong. */
  required<A extends object | number>(
    key: string,
    expected: string,
    read: (value: unknown) => A | string
  ): A | undefined {
    const value = this.value(key)
    if (value === undefined) return this.problems.add(this.pathOf(key), `missing; it takes ${expected}`)
    return this.read(key, value, read)
  }

  optional<A extends object | number>(key: string, otherwise: A, read: (value: unknown) => A | string): A {
    const value = this.value(key)
    return value === undefined ? otherwise : this.read(key, value, read) ?? otherwise
  }

  private read<A extends object | number>(
    key: string,
    value: unknown,
    read: (value: unknown) => A | string
  ): A | undefined {
    const result = read(value)
    return typeof result === "string" ? this.problems.add(this.pathOf(key), result) : result
  }

  /** To be called last. */
  finish(): void {
    for (const key of Object.keys(this.object)) {
      if (!this.asked.includes(key)) {
        const meant = didYouMean(key, this.asked.filter((known) => !(known in this.object)))
        this.problems.add(this.pathOf(key), `unknown key${meant}; known are ${this.asked.join(", ")}`)
      }
    }
  }
}

/** A number within bounds; `integer` refuses fractions. */
export const numberIn =
  (least: number, greatest: number, kind: "integer" | "number" = "integer") => (value: unknown): number | string =>
    typeof value === "number" && value >= least && value <= greatest && (kind === "number" || Number.isInteger(value))
      ? value
      : `takes ${kind === "integer" ? "a whole number" : "a number"} from ${least} to ${greatest}, not ${shown(value)}`
