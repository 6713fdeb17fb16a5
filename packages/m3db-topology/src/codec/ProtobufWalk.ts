/**
 * A first pass over protobuf bytes, before anything is allocated for them: finds the byte at which they go wrong and counts
 * repeated messages against their limits. (A two-byte shard entry would else become an object of two hundred bytes.)
 */

/** What a field must be. `count` names a counter that each occurrence raises. */
export type Field =
  | { readonly name: string; readonly kind: "varint" }
  | { readonly name: string; readonly kind: "string" }
  | { readonly name: string; readonly kind: "message"; readonly shape: Shape; readonly count?: string }

export type Shape = { readonly [field: number]: Field }

export interface Fault {
  readonly reason: "malformed" | "too-large"
  /** Byte offset from the start of the bytes. */
  readonly offset: number
  readonly message: string
}

const wireVarint = 0
const wireFixed64 = 1
const wireLength = 2
const wireFixed32 = 5
const utf8 = new TextDecoder("utf-8", { fatal: true })

class Stop {
  readonly fault: Fault

  constructor(fault: Fault) {
    this.fault = fault
  }
}

class Walk {
  private readonly bytes: Uint8Array
  private readonly limits: ReadonlyMap<string, number>
  private readonly counts = new Map<string, number>()

  constructor(bytes: Uint8Array, limits: ReadonlyMap<string, number>) {
    this.bytes = bytes
    this.limits = limits
  }

  private stop(offset: number, message: string, reason: Fault["reason"] = "malformed"): never {
    // Not an Error: it never leaves this file, and a stack would be wasted on a peer's bytes.
    // eslint-disable-next-line no-throw-literal
    throw new Stop({ reason, offset, message })
  }

  /** Reads a varint as a number; lengths and tags are exact, larger values only need to be well-formed. */
  private varint(at: number, end: number, what: string): { value: number; next: number } {
    let value = 0
    for (let i = 0; i < 10; i++) {
      if (at + i >= end) this.stop(at, `${what} is cut off`)
      const byte = this.bytes[at + i]!
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return { value, next: at + i + 1 }
    }
    return this.stop(at, `${what} is longer than 10 bytes`)
  }

  private count(name: string, at: number): void {
    const counted = (this.counts.get(name) ?? 0) + 1
    this.counts.set(name, counted)
    const limit = this.limits.get(name) ?? Number.POSITIVE_INFINITY
    if (counted > limit) this.stop(at, `more than ${limit} ${name}`, "too-large")
  }

  private content(field: Field, start: number, end: number): void {
    if (field.kind === "message") {
      if (field.count !== undefined) this.count(field.count, start)
      this.message(start, end, field.shape, field.name)
    } else if (field.kind === "string") {
      try {
        utf8.decode(this.bytes.subarray(start, end))
      } catch {
        this.stop(start, `${field.name} is not UTF-8`)
      }
    }
  }

  message(start: number, end: number, shape: Shape, name: string): void {
    let at = start
    while (at < end) {
      const tag = this.varint(at, end, `a field of ${name}`)
      const number = Math.floor(tag.value / 8)
      const wire = tag.value % 8
      if (number < 1 || number > 536_870_911) this.stop(at, `${name} has a field with the impossible number ${number}`)
      const field = Object.hasOwn(shape, number) ? shape[number] : undefined
      const label = field?.name ?? `field ${number} of ${name}`
      if (field !== undefined && wire !== (field.kind === "varint" ? wireVarint : wireLength)) {
        this.stop(at, `${label} has wire type ${wire}`)
      }
      if (wire === wireVarint) at = this.varint(tag.next, end, label).next
      else if (wire === wireFixed64 || wire === wireFixed32) {
        at = tag.next + (wire === wireFixed64 ? 8 : 4)
        if (at > end) this.stop(tag.next, `${label} is cut off`)
      } else if (wire === wireLength) {
        const length = this.varint(tag.next, end, `the length of ${label}`)
        if (length.value > end - length.next) {
          this.stop(tag.next, `${label} claims ${length.value} bytes, ${end - length.next} are left`)
        }
        at = length.next + length.value
        if (field !== undefined) this.content(field, length.next, at)
      } else this.stop(at, `${label} has wire type ${wire}, which proto3 does not use`)
    }
  }
}

/** Walks all of `bytes`; undefined when they have the shape and stay within the limits. Allocates nothing that grows with the input. */
export const walkProtobuf = (
  bytes: Uint8Array,
  shape: Shape,
  name: string,
  limits: ReadonlyMap<string, number>
): Fault | undefined => {
  try {
    new Walk(bytes, limits).message(0, bytes.length, shape, name)
    return undefined
  } catch (stop) {
    if (stop instanceof Stop) return stop.fault
    throw stop
  }
}
