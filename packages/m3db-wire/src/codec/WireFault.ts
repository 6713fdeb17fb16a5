/**
 * What decoders return instead of a value when the input is malformed. It is a plain value, not an exception: a peer's
 * bytes never throw past a codec.
 */
export class WireFault {
  readonly _tag = "WireFault"
  /** What is wrong and what was expected. */
  readonly message: string
  /** Byte offset in the buffer that was decoded. */
  readonly offset: number
  /** `too-large`: over a limit that the caller set; asking for less may help. Else the input is malformed. */
  readonly kind: "malformed" | "too-large"

  constructor(message: string, offset: number, kind: "malformed" | "too-large" = "malformed") {
    this.message = message
    this.offset = offset
    this.kind = kind
  }

  toString(): string {
    return `${this.message} (at byte ${this.offset})`
  }
}

/** Tells a fault from a decoded value. */
export const isWireFault = (value: unknown): value is WireFault => value instanceof WireFault

/** Runs a decoder whose cursor throws `WireFault` and gives the fault back as a value. Anything else is our defect. */
export const catchFault = <A>(decode: () => A): A | WireFault => {
  try {
    return decode()
  } catch (error) {
    if (error instanceof WireFault) return error
    throw error
  }
}
