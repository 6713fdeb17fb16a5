/** Why bytes could not be decoded: the value a codec returns in place of a result. It knows offsets, not paths. */
export class Malformed {
  readonly _tag = "Malformed"
  readonly reason: "malformed" | "limit" | "checksum"
  /** Byte offset from the start of what was decoded. */
  readonly offset: number
  readonly message: string

  constructor(reason: Malformed["reason"], offset: number, message: string) {
    this.reason = reason
    this.offset = offset
    this.message = message
  }
}

/** Tells a fault from a decoded value. */
export const isMalformed = (value: unknown): value is Malformed => value instanceof Malformed
