/**
 * Text of a value, in which equal values are equal and different ones are not. Like JSON, with marks where JSON has none: `0x01ff` for bytes (of whatever
 * class), `2n`, `-0`, `NaN`, `undefined`, `Date(…)`, `Map[…]`, `Error{…}`. Keys are in order. What shows nothing of itself (functions, promises, objects with
 * private state) is itself alone: `[function once 1]`.
 */

type Names = Map<unknown, number>

const hexOf = (bytes: Uint8Array): string =>
  `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`

const numberText = (value: number): string => Object.is(value, -0) ? "-0" : String(value)

/** One of those that show nothing: the same number for the same one. */
const unshown = (what: string, value: unknown, names: Names): string => {
  const number = names.get(value) ?? names.size + 1
  names.set(value, number)
  return `[${what} ${number}]`
}

const classOf = (value: object): string => value.constructor?.name ?? "object"

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** Of an error also what cannot be enumerated; never where it was made. */
const errorFields = (error: Error): ReadonlyArray<readonly [string, unknown]> => {
  const { cause, name: _name, message, stack: _stack, ...rest } = error as Error & Readonly<Record<string, unknown>>
  return Object.entries({ ...rest, message, ...(cause === undefined ? {} : { cause }) })
}

/** Writes values; knows those that it is inside of, and the numbers of those that show nothing. */
class Writer {
  readonly #inside = new Set<unknown>()
  readonly #names: Names

  constructor(names: Names) {
    this.#names = names
  }

  text(value: unknown): string {
    switch (typeof value) {
      case "string":
        return JSON.stringify(value)
      case "bigint":
        return `${value}n`
      case "number":
        return numberText(value)
      case "function":
        return unshown(`function ${value.name}`, value, this.#names)
      case "symbol":
        return unshown(String(value), value, this.#names)
      case "object":
        return value === null ? "null" : this.#nested(value)
      default:
        return String(value)
    }
  }

  #nested(value: object): string {
    if (this.#inside.has(value)) return `[circular ${[...this.#inside].indexOf(value)}]`
    this.#inside.add(value)
    const text = this.#objectText(value)
    this.#inside.delete(value)
    return text
  }

  #objectText(value: object): string {
    if (value instanceof Uint8Array) return hexOf(value)
    if (value instanceof ArrayBuffer) return `ArrayBuffer(${hexOf(new Uint8Array(value))})`
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteLength, byteOffset } = value
      return `${classOf(value)}(${hexOf(new Uint8Array(buffer, byteOffset, byteLength))})`
    }
    if (Array.isArray(value)) return this.#list(value)
    if (value instanceof Map) return `Map${this.#list([...value])}`
    if (value instanceof Set) return `Set${this.#list([...value])}`
    if (value instanceof Date) return `Date(${numberText(value.getTime())})`
    if (value instanceof RegExp) return String(value)
    if (value instanceof Error) return `${value.name}${this.#fields(errorFields(value))}`
    const fields = Object.entries(value)
    if (fields.length > 0 || isPlain(value)) return this.#fields(fields)
    // A URL, for one.
    if ("toJSON" in value && typeof value.toJSON === "function") {
      return `${classOf(value)}(${this.text(value.toJSON())})`
    }
    return unshown(classOf(value), value, this.#names)
  }

  #list(items: ReadonlyArray<unknown>): string {
    return `[${Array.from(items, (item) => this.text(item)).join(",")}]`
  }

  #fields(fields: ReadonlyArray<readonly [string, unknown]>): string {
    const sorted = fields.toSorted(([a], [b]) => a < b ? -1 : 1)
    return `{${sorted.map(([key, inner]) => `${JSON.stringify(key)}:${this.text(inner)}`).join(",")}}`
  }
}

/** Texts of values that are to be compared: those that show nothing have the same number in all of them. */
export const plainTexts = (...values: ReadonlyArray<unknown>): ReadonlyArray<string> => {
  const writer = new Writer(new Map())
  return values.map((value) => writer.text(value))
}

/**
 * Text of a value, in which equal values are equal and different ones are not: JSON with keys in order, bytes as `0x01ff`, `2n`, `-0`, `NaN`, `undefined`,
 * `Date(…)`, `Map[…]`, `Set[…]`, errors with their name, message, cause and fields.
 */
export const plainText = (value: unknown): string => new Writer(new Map()).text(value)
